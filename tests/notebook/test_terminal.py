"""In IPython without Jupyter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SERVED = """
%load_ext nbfunc
def double(n: int) -> int:
    return 2 * n

%func_to_web --serve --port 0 double
print("the prompt is back")
"""


def test_serve_leaves_the_prompt_to_who_typed_it(tmp_path: Path) -> None:
    script = tmp_path / "served.ipy"
    script.write_text(SERVED)
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", str(script)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"IPYTHONDIR": str(tmp_path), "PATH": ""},
    )
    assert "nbfunc server at http://127.0.0.1:" in done.stdout
    assert done.stdout.endswith("the prompt is back\n")

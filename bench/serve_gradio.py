"""A folder behind Gradio: ``python -m bench.serve_gradio PORT FOLDER``, in a venv of its own."""

import sys
from pathlib import Path

import gradio  # type: ignore[import-not-found]  # it has a venv of its own

from bench.probe import Gap, watch

PORT, FOLDER = int(sys.argv[1]), Path(sys.argv[2])

if __name__ == "__main__":
    watch(Gap(FOLDER / "gap"))
    with gradio.Blocks() as page:
        gradio.Markdown("bench")
    page.launch(server_name="127.0.0.1", server_port=PORT, allowed_paths=[str(FOLDER)], quiet=True)

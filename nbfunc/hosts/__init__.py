"""Where functions live and run: in this process, or in a kernel."""

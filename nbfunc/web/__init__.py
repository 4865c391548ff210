"""Forms, runs and files over HTTP: handlers that any Tornado application can mount."""

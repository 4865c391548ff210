"""What a run returns and what a client sends, on disk. There is no database: a name is a record."""

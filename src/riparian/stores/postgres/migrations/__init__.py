"""What makes the tables of one version those of the next, and of the one before; the numbers are those of SQLite."""

"""Pages: reading."""

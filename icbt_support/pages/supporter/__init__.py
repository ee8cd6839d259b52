"""Pages: supporter."""

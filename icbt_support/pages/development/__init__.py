"""Pages: development."""

"""One check-in some weeks after an agreed ending: planned, asked once, answered, read by a named person."""

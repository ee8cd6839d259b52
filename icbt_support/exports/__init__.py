"""Tables to take away: what each column is, safe cells, one row at a time, and a line in the audit."""

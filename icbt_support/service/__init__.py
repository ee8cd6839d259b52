"""The tenant: its name, look, help lines, out-of-hours words and the numbers of its rhythm."""

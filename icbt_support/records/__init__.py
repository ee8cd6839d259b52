"""Download, erasure and retention over the tables' own declarations."""

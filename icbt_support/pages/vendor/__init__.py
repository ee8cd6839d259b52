"""Pages of the vendor representative: what services have reported, and nothing about any patient."""

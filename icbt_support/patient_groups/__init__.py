"""Groups of people by which a service looks at its outcomes; optional, and of its own making."""

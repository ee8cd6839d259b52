"""Bringing the course into a service: who leads, who is trained, and how it goes against the service's own targets."""

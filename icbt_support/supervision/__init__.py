"""Supervision: a list by rules for each supporter, meetings that keep each decision, letters read together."""

"""Synthetic people who live through simulated weeks by the same verbs as real ones."""

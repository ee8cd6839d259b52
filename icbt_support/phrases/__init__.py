"""Phrases: pieces of letters that a supporter keeps, or a service keeps for all, and how often they were used."""

"""Weeks and their dated items."""

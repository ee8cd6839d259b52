"""Alerts, grades, the clock that runs in duty hours, calls and resolutions."""

"""People's door: guards, commits, forms and pages by audience."""

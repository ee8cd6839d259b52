"""A person in a programme: supporter, clinician, state, contact sheet; the scoped queries."""

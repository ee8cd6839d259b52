"""Early warning, advisory and explained: who may not be benefiting yet, by which facts, and what was decided."""

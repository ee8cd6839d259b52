"""What people did in the programme: one append-only row and one per-person-per-day count, by one verb."""

"""Treatment contacts: recorded as staff work, and counted once a clinician has confirmed them."""

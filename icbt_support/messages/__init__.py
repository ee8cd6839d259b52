"""The thread between a patient and the supporter."""

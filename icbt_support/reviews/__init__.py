"""Reviews: owed, drafted, sent, read; the letter and its next step."""

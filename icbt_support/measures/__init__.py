"""Questionnaires answered and scored."""

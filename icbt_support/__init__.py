"""iCBT Support: a plan every week, a person every week, and a date for both."""

"""iCBT Support: a plan every week, a person every week, and a date for both."""

import gc

# What is made at a start stays, and what a request makes seldom goes in circles: looking for those at the usual pace
# takes a twelfth of a start and an eighth of building the demo.
gc.set_threshold(50_000, 20, 20)

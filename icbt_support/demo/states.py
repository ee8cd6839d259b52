"""People of the demo who show the states of the rhythm that the first minute does not need."""

from dataclasses import replace
from datetime import time, timedelta

from icbt_support.demo.people import (
    DANA,
    FRIDAY,
    LEWIS,
    MONDAY,
    SATURDAY,
    STANDS_ON,
    SUNDAY,
    TOM,
    TUESDAY,
    WEDNESDAY,
    Ending,
    story_person,
)

NEXT_MONDAY, NEXT_WEDNESDAY = STANDS_ON + timedelta(days=4), STANDS_ON + timedelta(days=6)

# Lewis has left: his people went to Priya and to Tom, with what he owed them.
HOPE = story_person(
    "Hope Lindley",
    "she/her",
    4,
    NEXT_WEDNESDAY,
    time(9, 30),
    ((FRIDAY, time(18)), (MONDAY, time(19))),
    (16, 15, 13, 12),
    (11, 10, 9, 9),
    supporter=LEWIS,
    goal="Sit on the beach with a book",
)
MILES = story_person(
    "Miles Archer",
    "he/him",
    3,
    NEXT_WEDNESDAY,
    time(10),
    ((SATURDAY, time(10)), (TUESDAY, time(18))),
    (13, 12, 10),
    (9, 9, 8),
    supporter=LEWIS,
    goal="Ring my daughter every Sunday",
)
# Dana is away: Priya writes to Elsie and Gus, and Wren waits until Dana is back.
ELSIE = story_person(
    "Elsie Brandt",
    "she/her",
    3,
    NEXT_WEDNESDAY,
    time(9, 15),
    ((FRIDAY, time(17, 30)), (SUNDAY, time(16))),
    (15, 13, 12),
    (10, 9, 9),
    supporter=DANA,
    goal="Bake with my grandson again",
)
GUS = story_person(
    "Gus Holloway",
    "he/him",
    5,
    NEXT_MONDAY,
    time(9, 30),
    ((WEDNESDAY, time(19)), (SATURDAY, time(11))),
    (18, 17, 15, 14, 12),
    (12, 12, 11, 10, 9),
    supporter=DANA,
    goal="Mend the boat with my brother",
)
WREN = story_person(
    "Wren Castell",
    "they/them",
    2,
    NEXT_MONDAY,
    time(10),
    ((TUESDAY, time(19)), (SATURDAY, time(15))),
    (12, 11),
    (8, 8),
    supporter=DANA,
    goal="Finish one drawing a week",
)
# Five weeks in: three of one week, and then two in one, as agreed in the third letter.
BRUNO = story_person(
    "Bruno Keller",
    "he/him",
    5,
    NEXT_MONDAY,
    time(9, 50),
    ((TUESDAY, time(18)), (SUNDAY, time(11))),
    (14, 13, 12, 10),
    (9, 9, 8, 7),
    fortnightly_from_review=3,
    goal="Play in the band again",
)
# Not seen for fifteen days: a note was written, and one call was not answered.
THEO = story_person(
    "Theo Marchetti",
    "he/him",
    5,
    NEXT_MONDAY,
    time(10, 15),
    ((WEDNESDAY, time(18)), (SATURDAY, time(12))),
    (14, 14, 13),
    (10, 10, 10),
    supporter=TOM,
    goal="Eat lunch away from my desk",
)
# Invited ten days ago, welcomed, and never seen: a call is due.
PIA = replace(
    story_person(
        "Pia Sandoval",
        "she/her",
        1,
        NEXT_MONDAY,
        time(10, 30),
        ((TUESDAY, time(18)), (SATURDAY, time(11))),
        (13,),
        (9,),
        supporter=TOM,
        ending=Ending.STAYS_INVITED,
    ),
    invited_on=STANDS_ON - timedelta(days=10),
)
STATES = (HOPE, MILES, ELSIE, GUS, WREN, BRUNO, THEO, PIA)

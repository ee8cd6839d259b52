"""Room of supporters, days of an invitation, and how long a person may be away."""

from datetime import date

import pytest

from icbt_support.enrolments.rules import Limit, Room, day_of_invitation, longest_away_until, most_room_first
from icbt_support.pages.room_words import room_words


def test_the_supporter_with_most_room_comes_first():
    rooms = [Room(1, places=12, people=11), Room(2, places=12, people=3), Room(3, places=4, people=6)]
    assert [room.supporter_id for room in most_room_first(rooms)] == [2, 1, 3]


def test_equal_room_is_settled_by_number():
    assert [r.supporter_id for r in most_room_first([Room(5, 4, 2), Room(4, 3, 1)])] == [4, 5]


def test_who_is_full_comes_after_who_has_room_and_who_is_away_last():
    full = Room(1, places=40, people=25, most_people=25)
    small = Room(2, places=4, people=3)
    away = Room(3, places=40, people=0, back_on=date(2026, 12, 1))
    assert most_room_first([away, full, small]) == [small, full, away]


@pytest.mark.parametrize(
    ("room", "limits"),
    [
        (Room(1, places=12, people=11), ()),
        (Room(1, places=12, people=12), (Limit.PLACES,)),
        (Room(1, places=12, people=14, fortnightly=6), ()),
        (Room(1, places=12, people=14, fortnightly=3), (Limit.PLACES,)),
        (Room(1, places=12, people=5, most_people=5), (Limit.PEOPLE,)),
        (Room(1, places=12, people=5, most_minutes=90), ()),
        (Room(1, places=12, people=6, most_minutes=90), (Limit.MINUTES,)),
        (Room(1, places=2, people=2, most_people=1, most_minutes=30), tuple(Limit)),
    ],
)
def test_one_more_person_passes_these_limits(room, limits):
    assert room.passed_by_one_more == limits


def test_the_words_say_only_what_is_known():
    room = Room(
        1,
        places=12,
        people=8,
        most_people=25,
        free_weekdays=(3,),
        back_on=date(2026, 12, 1),
        most_minutes=180,
    )
    assert room_words(room) == (
        "4 free review times a week, on Thursdays; 8 of at most 25 people; about 120 of at most 180 minutes a week; "
        "away, back on Tuesday 1 December"
    )
    assert room_words(Room(1, places=2, people=3)) == "No free review time: 2 a week; 3 people"


def test_the_day_of_the_invitation_is_day_0():
    assert day_of_invitation(date(2026, 2, 27), date(2026, 2, 27)) == 0
    assert day_of_invitation(date(2026, 2, 27), date(2026, 3, 7)) == 8


def test_today_is_the_first_of_the_days_away():
    assert longest_away_until(date(2026, 11, 19), 21) == date(2026, 12, 9)

"""Room of supporters, days of an invitation, and how long a person may be away."""

from datetime import date

from icbt_support.enrolments.rules import Room, day_of_invitation, longest_away_until, most_room_first


def test_the_supporter_with_most_room_comes_first():
    rooms = [Room(1, places=12, people=11), Room(2, places=12, people=3), Room(3, places=4, people=6)]
    assert [room.supporter_id for room in most_room_first(rooms)] == [2, 1, 3]


def test_equal_room_is_settled_by_number():
    assert [r.supporter_id for r in most_room_first([Room(5, 4, 2), Room(4, 3, 1)])] == [4, 5]


def test_the_day_of_the_invitation_is_day_0():
    assert day_of_invitation(date(2026, 2, 27), date(2026, 2, 27)) == 0
    assert day_of_invitation(date(2026, 2, 27), date(2026, 3, 7)) == 8


def test_today_is_the_first_of_the_days_away():
    assert longest_away_until(date(2026, 11, 19), 21) == date(2026, 12, 9)

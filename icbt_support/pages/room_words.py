"""How much room a supporter has, in words, and only of what is known."""

from icbt_support.enrolments.rules import Limit, Room
from icbt_support.pages.kit import long_day

WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
LIMIT_WORDS = {
    Limit.PLACES: "every protected review time is needed",
    Limit.PEOPLE: "at the limit of people",
    Limit.MINUTES: "at the limit of minutes a week",
}


def room_words(room: Room) -> str:
    """ "4 free review times a week, on Thursdays; 18 of at most 25 people" """
    parts = [_free_words(room), _people_words(room)]
    if room.most_minutes is not None:
        parts.append(f"about {room.minutes_planned} of at most {room.most_minutes} minutes a week")
    if room.back_on is not None:
        parts.append(f"away, back on {long_day(room.back_on)}")
    return "; ".join(parts)


def limits_passed_words(room: Room) -> str:
    """ "every protected review time is needed, at the limit of people" """
    return ", ".join(LIMIT_WORDS[limit] for limit in room.passed_by_one_more)


def _free_words(room: Room) -> str:
    if room.free < 1:
        return f"No free review time: {room.places} a week"
    days = " and ".join(WEEKDAYS[day] for day in room.free_weekdays)
    times = "review time" if room.free == 1 else "review times"
    return f"{room.free} free {times} a week{f', on {days}' if days else ''}"


def _people_words(room: Room) -> str:
    if room.most_people is not None:
        return f"{room.people} of at most {room.most_people} people"
    return f"{room.people} {'person' if room.people == 1 else 'people'}"

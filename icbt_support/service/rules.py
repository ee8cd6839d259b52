"""What a service has to have before it can invite anybody, its bounds, and help lines to begin with; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from icbt_support.service.models import Brand, HelpLine, HelpLineKind, RhythmSettings, Service

CHECK_HELP_LINES_EVERY = timedelta(days=183)


@dataclass(frozen=True)
class HelpLineChoice:
    """One help line as a service words it; `href` is tel:, sms: or https:, or empty."""

    kind: HelpLineKind
    title: str
    href: str
    words: str


# The numbers of England, as nhs.uk, samaritans.org, giveusashout.org and relayuk.bt.com print them.
ENGLAND_HELP_LINES = (
    HelpLineChoice(HelpLineKind.EMERGENCY, "Call 999", "tel:999", "if someone is in danger, or go to A&E"),
    HelpLineChoice(
        HelpLineKind.URGENT, "Call 111, option 2", "tel:111", "urgent mental health help, any time"
    ),
    HelpLineChoice(HelpLineKind.TALK, "Call 116 123", "tel:116123", "Samaritans, free, any time"),
    HelpLineChoice(HelpLineKind.TALK, "Text SHOUT to 85258", "sms:85258?body=SHOUT", "SHOUT, free, any time"),
    HelpLineChoice(
        HelpLineKind.RELAY,
        "Call 18001 111, option 2",
        "tel:18001111",
        "Relay UK: dial 18001 before any of these numbers, or use the Relay UK app",
    ),
)


@dataclass(frozen=True)
class HelpPage:
    """All that *Get help now* says, held in memory so that it needs no database."""

    product_name: str = "Online course"
    service_name: str = ""
    duty_phone: str = ""
    contact_words: str = ""
    out_of_hours_words: str = ""
    lines: tuple[HelpLineChoice, ...] = ENGLAND_HELP_LINES
    checked_on: date | None = None

    def lines_of(self, kind: HelpLineKind) -> tuple[HelpLineChoice, ...]:
        return tuple(line for line in self.lines if line.kind is kind)


def help_page_of(service: Service) -> HelpPage:
    """The service's own page; it keeps the safe lines if it has none, and always one for emergencies."""
    lines = tuple(HelpLineChoice(line.kind, line.title, line.href, line.words) for line in service.help_lines)
    if lines and not any(line.kind is HelpLineKind.EMERGENCY for line in lines):
        lines = (ENGLAND_HELP_LINES[0], *lines)
    return HelpPage(
        product_name=service.product_name,
        service_name=service.name,
        duty_phone=service.duty_phone,
        contact_words=service.contact_words,
        out_of_hours_words=service.out_of_hours_words,
        lines=lines or ENGLAND_HELP_LINES,
        checked_on=help_lines_checked_on(service.help_lines),
    )


def help_lines_checked_on(lines: Sequence[HelpLine]) -> date | None:
    """The day on which the line that was checked longest ago was checked; None if one never was."""
    days = [line.checked_on for line in lines]
    return None if not days or None in days else min(day for day in days if day is not None)


def missing_before_inviting(service: Service, duty_count: int) -> list[str]:
    """What a service still has to set before it can invite its first patient, a sentence each."""
    missing = []
    if not duty_count:
        missing.append("Set duty hours, with a clinician for each session.")
    if help_lines_checked_on(service.help_lines) is None:
        missing.append("Check the help lines and say on which day you tried them.")
    if not service.out_of_hours_words.strip():
        missing.append("Write what people do when nobody here is reading.")
    return missing


def help_lines_need_a_check(service: Service, today: date) -> bool:
    """Whether it is more than half a year since somebody tried the numbers."""
    checked_on = help_lines_checked_on(service.help_lines)
    return checked_on is None or checked_on + CHECK_HELP_LINES_EVERY < today


@dataclass(frozen=True)
class ServiceDetails:
    """What an administrator may change about a service, apart from help lines and numbers."""

    name: str
    product_name: str
    sender_name: str
    brand: Brand
    duty_phone: str
    contact_words: str
    out_of_hours_words: str
    out_of_hours_contact: str


@dataclass(frozen=True)
class Bounds:
    """A number of the rhythm: what it is, in what unit, and from where to where it may go."""

    words: str
    low: int
    high: int
    unit: str


RHYTHM_BOUNDS = {
    "welcome_working_days": Bounds("A welcome is owed within", 1, 5, "working days"),
    "invitation_days": Bounds("An invitation works for", 3, 30, "days"),
    "never_started_call_day": Bounds("Call someone who has not started on day", 3, 30, ""),
    "never_started_close_day": Bounds("A clinician closes or invites again on day", 7, 60, ""),
    "check_in_opens_days": Bounds("The check-in opens before the review by", 1, 6, "days"),
    "review_promised_hour": Bounds("Reviews are promised by (hour of the day)", 9, 20, "o'clock"),
    "review_warning_minutes": Bounds("Supporter and cover are warned before that by", 30, 480, "minutes"),
    "next_date_promised_hour": Bounds("After a late review, news is promised by (hour)", 9, 17, "o'clock"),
    "late_opens_working_days": Bounds("Without a review, the next week opens after", 1, 5, "working days"),
    "merge_under_days": Bounds("Two reviews merge when they are closer than", 1, 5, "days"),
    "quiet_prompts_stop_days": Bounds("Prompts stop without a sign-in after", 3, 21, "days"),
    "quiet_call_days": Bounds("A call task is made after", 7, 42, "quiet days"),
    "quiet_decide_days": Bounds("A clinician decides after", 14, 60, "quiet days"),
    "longest_away_days": Bounds("A patient may be away for up to", 7, 42, "days"),
    "message_unread_working_days": Bounds("A message is late when unread for", 1, 5, "working days"),
    "prompts_in_seven_days": Bounds("Prompts in seven days, at most", 0, 7, ""),
    "acknowledge_urgent_minutes": Bounds(
        "An urgent alert goes on to the next person after", 5, 60, "duty minutes"
    ),
    "acknowledge_same_day_minutes": Bounds("A same-day alert goes on after", 30, 480, "duty minutes"),
    "known_lapses_days": Bounds("A known risk is looked at again after", 7, 56, "days"),
    "contact_sheet_confirm_days": Bounds("The contact sheet is confirmed every", 7, 84, "days"),
    "booster_after_days": Bounds(
        "After a good ending, one check-in is asked after (0 is none)", 0, 90, "days"
    ),
    "booster_open_days": Bounds("That check-in can be answered for", 3, 30, "days"),
    "booster_read_working_days": Bounds("Its answers are read within", 1, 5, "working days"),
}


def rhythm_problems(numbers: RhythmSettings) -> dict[str, str]:
    """Name of a number -> what to enter instead, for each that cannot be taken."""
    problems = {
        name: f"Enter a number from {bounds.low} to {bounds.high}"
        for name, bounds in RHYTHM_BOUNDS.items()
        if not bounds.low <= getattr(numbers, name) <= bounds.high
    }
    if not numbers.quiet_prompts_stop_days < numbers.quiet_call_days < numbers.quiet_decide_days:
        problems.setdefault(
            "quiet_call_days", "Enter more days than for prompts to stop, and fewer than to decide"
        )
    if numbers.never_started_call_day >= numbers.never_started_close_day:
        problems.setdefault(
            "never_started_call_day", "Enter an earlier day than the one on which a clinician closes"
        )
    return problems

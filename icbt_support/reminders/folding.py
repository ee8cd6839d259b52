"""Which due reminders of a person share an email, and which prompts their caps hold back. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from icbt_support.reminders.rules import Reason, ReminderClass, fold_order, is_folded
from icbt_support.reminders.verdicts import Decision, DueReminder, RecipientDay, Verdict

ONE_A_DAY = Verdict(Decision.HOLD_BACK, Reason.ONE_A_DAY)
ENOUGH_THIS_WEEK = Verdict(Decision.HOLD_BACK, Reason.ENOUGH_THIS_WEEK)


_PROMPT = ReminderClass.PROMPT


@dataclass(slots=True)
class Parcel:
    """The reminders that will stand in one email. `prompt_number` is the place its prompt takes in that
    day.
    """

    recipient_id: int
    service_id: int | None
    local_on: date
    reminders: list[DueReminder]
    prompt_number: int | None = None


@dataclass
class Folded:
    parcels: list[Parcel]
    held_back: dict[int, Verdict]


def fold(
    due: Iterable[DueReminder],
    recipients: Mapping[int, RecipientDay],
    prompts_sent: Mapping[int, Sequence[date]],
) -> Folded:
    """Groups new reminders (none of them in a mailing yet) into parcels, a person's caps applied.

    `prompts_sent` holds, per recipient, the local days of prompts of the last seven days.
    """
    result = Folded([], {})
    prompts_on = {recipient_id: list(days) for recipient_id, days in prompts_sent.items()}
    for rows in _emails(due):
        first = rows[0]
        day = recipients[first.recipient_id]
        parcel = Parcel(first.recipient_id, first.service_id, day.local_on, [])
        _fill(parcel, rows, day, prompts_on.setdefault(first.recipient_id, []), result.held_back)
        if parcel.reminders:
            result.parcels.append(parcel)
    return result


def _emails(due: Iterable[DueReminder]) -> list[list[DueReminder]]:
    """What is folded stands with the rest of its recipient and service; anything else by itself."""
    alone: list[list[DueReminder]] = []
    together: dict[tuple[int, int | None], list[DueReminder]] = {}
    for row in due:
        if is_folded(row.reminder_class):
            together.setdefault((row.recipient_id, row.service_id), []).append(row)
        else:
            alone.append([row])
    return [*alone, *together.values()]


def _order(row: DueReminder) -> tuple[int, int]:
    return fold_order(row.kind), row.id


def _fill(
    parcel: Parcel,
    rows: Sequence[DueReminder],
    day: RecipientDay,
    prompts_on: list[date],
    held_back: dict[int, Verdict],
) -> None:
    """Adds each row that its recipient's caps allow; a prompt that goes out counts in `prompts_on`."""
    for row in sorted(rows, key=_order):
        if row.reminder_class is _PROMPT:
            refusal = _refusal(day, prompts_on) if parcel.prompt_number is None else ONE_A_DAY
            if refusal is not None:
                held_back[row.id] = refusal
                continue
            prompts_on.append(day.local_on)
            parcel.prompt_number = prompts_on.count(day.local_on)
        parcel.reminders.append(row)


def _refusal(day: RecipientDay, prompts_on: Sequence[date]) -> Verdict | None:
    if prompts_on.count(day.local_on) >= day.prompts_a_day:
        return ONE_A_DAY
    week_began = day.local_on - timedelta(days=6)
    if sum(on >= week_began for on in prompts_on) >= day.prompts_in_seven_days:
        return ENOUGH_THIS_WEEK
    return None


def without_prompt(parcel: Parcel) -> tuple[Parcel, dict[int, Verdict]]:
    """The parcel after another worker took the prompt's place in that day."""
    news = [row for row in parcel.reminders if row.reminder_class is not ReminderClass.PROMPT]
    prompts = [row for row in parcel.reminders if row.reminder_class is ReminderClass.PROMPT]
    left = Parcel(parcel.recipient_id, parcel.service_id, parcel.local_on, news)
    return left, {row.id: ONE_A_DAY for row in prompts}

"""Which due reminders of a person share an email, and which prompts their caps hold back. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from icbt_support.reminders.rules import Reason, ReminderClass, fold_order, is_folded
from icbt_support.reminders.verdicts import Decision, DueReminder, RecipientDay, Verdict

ONE_A_DAY = Verdict(Decision.HOLD_BACK, Reason.ONE_A_DAY)
ENOUGH_THIS_WEEK = Verdict(Decision.HOLD_BACK, Reason.ENOUGH_THIS_WEEK)


@dataclass
class Parcel:
    """The reminders that will stand in one email. `prompt_number` is the place its prompt takes in that
    day.
    """

    recipient_id: int
    service_id: int | None
    local_on: date
    reminders: list[DueReminder]
    prompt_number: int | None = None

    @property
    def prompt_on(self) -> date | None:
        return None if self.prompt_number is None else self.local_on


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
    together: dict[tuple[int, int | None], list[DueReminder]] = {}
    for row in due:
        if is_folded(row.reminder_class):
            together.setdefault((row.recipient_id, row.service_id), []).append(row)
        else:
            day = recipients[row.recipient_id].local_on
            result.parcels.append(Parcel(row.recipient_id, row.service_id, day, [row]))
    taken_now: Counter[int] = Counter()
    for (recipient_id, service_id), rows in together.items():
        _fold_for_one(
            Parcel(recipient_id, service_id, recipients[recipient_id].local_on, []),
            sorted(rows, key=_order),
            recipients[recipient_id],
            prompts_sent.get(recipient_id, ()),
            taken_now,
            result,
        )
    return result


def _order(row: DueReminder) -> tuple[int, int]:
    return fold_order(row.kind), row.id


def _fold_for_one(
    parcel: Parcel,
    rows: Sequence[DueReminder],
    day: RecipientDay,
    sent: Sequence[date],
    taken_now: Counter[int],
    result: Folded,
) -> None:
    for row in rows:
        if row.reminder_class is not ReminderClass.PROMPT:
            parcel.reminders.append(row)
            continue
        refusal = _refusal(day, sent, taken_now[row.recipient_id])
        if parcel.prompt_number is not None or refusal is not None:
            result.held_back[row.id] = refusal or ONE_A_DAY
            continue
        taken_now[row.recipient_id] += 1
        parcel.prompt_number = sum(on == day.local_on for on in sent) + taken_now[row.recipient_id]
        parcel.reminders.append(row)
    if parcel.reminders:
        result.parcels.append(parcel)


def _refusal(day: RecipientDay, sent: Sequence[date], taken_now: int) -> Verdict | None:
    if sum(on == day.local_on for on in sent) + taken_now >= day.prompts_a_day:
        return ONE_A_DAY
    week_began = day.local_on - timedelta(days=6)
    if sum(on >= week_began for on in sent) + taken_now >= day.prompts_in_seven_days:
        return ENOUGH_THIS_WEEK
    return None


def without_prompt(parcel: Parcel) -> tuple[Parcel, dict[int, Verdict]]:
    """The parcel after another worker took the prompt's place in that day."""
    news = [row for row in parcel.reminders if row.reminder_class is not ReminderClass.PROMPT]
    prompts = [row for row in parcel.reminders if row.reminder_class is ReminderClass.PROMPT]
    left = Parcel(parcel.recipient_id, parcel.service_id, parcel.local_on, news)
    return left, {row.id: ONE_A_DAY for row in prompts}

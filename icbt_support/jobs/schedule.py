"""Everything that runs by itself: one table. The rows of the queue are in the database; this is only the
clock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from icbt_support.jobs import tasks
from icbt_support.jobs.tasks import Hands


class Lane(StrEnum):
    """Which executor a job runs in: nothing slow may stand before a reminder."""

    IN_APP = "in_app"
    DELIVERY = "delivery"
    HOUSE = "house"


@dataclass(frozen=True)
class Job:
    name: str
    every: timedelta
    task: Callable[[Hands], str]
    purpose: str
    lane: Lane = Lane.HOUSE
    said_as: str = ""

    @property
    def every_words(self) -> str:
        return self.said_as or f"every {_length(self.every)}"


def _length(every: timedelta) -> str:
    seconds = int(every.total_seconds())
    if seconds == 60:
        return "minute"
    return f"{seconds // 60} minutes" if seconds % 60 == 0 else f"{seconds} seconds"


SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)

# In this order a tick runs them: first what owes reminders, then what sends them.
SCHEDULE: tuple[Job, ...] = (
    Job(
        "recover", 30 * SECOND, tasks.recover, "Takes back what stopped workers left, and lets stale mail go"
    ),
    Job(
        "weeks",
        15 * MINUTE,
        tasks.open_weeks,
        "Opens weeks on their start date, or when a review is two days late",
    ),
    Job(
        "reviews",
        MINUTE,
        tasks.reviews,
        "Opens reviews, warns before the promised time, tells people when it has passed",
    ),
    Job(
        "messages",
        15 * MINUTE,
        tasks.watch_messages,
        "Says so when nobody has read a message for two working days",
    ),
    Job("aways", 15 * MINUTE, tasks.end_aways, "Brings people back on the day after their last day away"),
    Job(
        "boosters",
        15 * MINUTE,
        tasks.watch_boosters,
        "Asks once how a person is some weeks after the course, and sees that somebody reads it",
    ),
    Job(
        "risk", MINUTE, tasks.watch_alerts, "Keeps alerts in front of the next person on duty, in duty hours"
    ),
    Job(
        "quiet",
        15 * MINUTE,
        tasks.watch_quiet_weeks,
        "Asks for a note, a call or a decision when somebody has been quiet",
    ),
    Job(
        "invitations",
        15 * MINUTE,
        tasks.watch_invitations,
        "Asks for a call when an invitation is not taken up",
    ),
    Job(
        "digest",
        5 * MINUTE,
        tasks.send_digests,
        "Owes each supporter one email a working morning",
        said_as="daily at 8am",
    ),
    Job(
        "leads",
        5 * MINUTE,
        tasks.send_weekly_to_leads,
        "Owes those who lead a service five figures of the week before",
        said_as="weekly, on the first working day at 8am",
    ),
    Job(
        "in_app",
        5 * SECOND,
        tasks.show_in_app,
        "Shows in the app what is due, however long a mail server keeps the emails waiting",
        lane=Lane.IN_APP,
        said_as="when something is due, and every 5 seconds",
    ),
    Job(
        "deliver",
        5 * SECOND,
        tasks.deliver,
        "Sends what is due, or holds it back with a reason",
        lane=Lane.DELIVERY,
        said_as="when something is due, and every 5 seconds",
    ),
    Job(
        "figures",
        10 * MINUTE,
        tasks.keep_figures,
        "Counts the days of each service for the engagement page",
        said_as="every hour",
    ),
    Job("seal", 10 * SECOND, tasks.seal, "Seals the lines of the audit"),
    Job("heartbeat", 15 * SECOND, tasks.heartbeat, "Says that this process is alive"),
    Job(
        "backup",
        10 * MINUTE,
        tasks.backup,
        "Copies the database and opens the copy to check it",
        said_as="daily at 2am",
    ),
    Job(
        "purge",
        10 * MINUTE,
        tasks.purge_rows,
        "Lets go of old logs, sessions and mails, never of records",
        said_as="daily at 3am",
    ),
)

"""What a password, an address and a sign-in have to be; pure.

Passwords follow NIST SP 800-63B and OWASP ASVS 5.0, 6.2: at least 8 characters, 64 and more allowed, no rules
about kinds of characters, common ones refused. Lengths of sign-ins: ASVS 7.3.
"""

import unicodedata
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from email_validator import EmailNotValidError, validate_email

from icbt_support.accounts.models import STAFF_ROLES, PromptLevel, Role, SessionEmail, Wording

SHORTEST_PASSWORD = 8
RECOMMENDED_PASSWORD = 15
LONGEST_PASSWORD = 200
INVITATION_LIVES = timedelta(days=14)
PASSWORD_RESET_LIVES = timedelta(hours=1)
SEEN_AT_MOST_EVERY = timedelta(minutes=1)


class NotAnAddress(ValueError):
    """The text is not an email address."""


def tidy_email(text: str) -> str:
    """The address in the one way in which it is kept: lower case, and in the letters that every mail server takes.

    Raises `NotAnAddress`, also for one with other letters before the @, which our mail could not reach.
    """
    try:
        found = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise NotAnAddress(f"'{text}' is not an email address.") from error
    return (found.ascii_email or found.normalized).lower()


def tidy_password(password: str) -> str:
    """The same typed password gives the same characters on every keyboard and system."""
    return unicodedata.normalize("NFC", password)


def password_problem(password: str, *, common: Container[str], email: str) -> str | None:
    """What to do about a password that cannot be taken, as a sentence; None if it can."""
    length = len(tidy_password(password))
    if length < SHORTEST_PASSWORD:
        return f"Choose a password of {SHORTEST_PASSWORD} or more characters"
    if length > LONGEST_PASSWORD:
        return f"Choose a password of {LONGEST_PASSWORD} characters or fewer"
    lowered = password.lower().strip()
    if lowered in common:
        return "Choose another password: this one is on a list of passwords that many people use"
    if len(set(lowered)) == 1 or (email and lowered in (email.lower(), email.lower().split("@", 1)[0])):
        return "Choose another password: this one is easy to guess"
    return None


@dataclass(frozen=True)
class SignInLimits:
    """How long a sign-in lives without a visit, and at the longest."""

    idle: timedelta
    absolute: timedelta


STAFF_SIGN_IN = SignInLimits(idle=timedelta(minutes=30), absolute=timedelta(hours=8))
PATIENT_SIGN_IN = SignInLimits(idle=timedelta(minutes=60), absolute=timedelta(hours=12))


def sign_in_limits(roles: Iterable[Role]) -> SignInLimits:
    """Staff and the vendor see other people's data: their sign-ins are shorter."""
    shorter = {*STAFF_ROLES, Role.VENDOR}
    return STAFF_SIGN_IN if shorter.intersection(roles) else PATIENT_SIGN_IN


def has_run_out(
    created_at: datetime, last_seen_at: datetime, limits: SignInLimits, real_now: datetime
) -> bool:
    return real_now >= created_at + limits.absolute or real_now >= last_seen_at + limits.idle


@dataclass(frozen=True)
class AttemptLimit:
    """So many tries in a window; the window ends by itself, so nobody is ever locked out for good."""

    attempts: int
    window: timedelta

    @property
    def minutes(self) -> int:
        return int(self.window.total_seconds() // 60)


ACCOUNT_LIMIT = AttemptLimit(10, timedelta(minutes=15))
BROWSER_LIMIT = AttemptLimit(10, timedelta(minutes=15))
ADDRESS_LIMIT = AttemptLimit(100, timedelta(minutes=15))
RECOVERY_LIMIT = AttemptLimit(5, timedelta(minutes=60))


@dataclass(frozen=True)
class PreferenceChoices:
    """How a person wishes to be written to; the columns of `ContactPreferences`."""

    wording: Wording = Wording.DISCREET
    prompts: PromptLevel = PromptLevel.ALL
    session_email: SessionEmail = SessionEmail.EVERY
    session_lead_minutes: int = 30
    check_in_time: time = time(18)
    quiet_from: time = time(21)
    quiet_until: time = time(8)

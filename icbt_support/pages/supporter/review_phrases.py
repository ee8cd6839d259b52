"""Phrases in the composer: shown with their use, put into the letter by a button, filled in as far as is known."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from icbt_support.accounts.models import Account
from icbt_support.cadence import local_day, to_local, to_utc
from icbt_support.pages.kit import clock_time, long_day
from icbt_support.pages.supporter.review_facts import score_sentences
from icbt_support.pages.supporter.review_form import LetterForm
from icbt_support.pages.supporter.typed_values import read_day, read_instant, read_number, read_time
from icbt_support.pages.supporter.words import count_words
from icbt_support.phrases.models import Phrase
from icbt_support.phrases.queries import PhraseInUse, phrases_of_letter, usable_phrases
from icbt_support.phrases.rules import fill_in
from icbt_support.programme.content import Programme
from icbt_support.reviews import queries as reviews
from icbt_support.reviews.models import Review
from icbt_support.reviews.queries import letters_sent_lately
from icbt_support.reviews.rules import module_of

LAST_LETTERS = 5
MIDNIGHT = datetime.min.time()


@dataclass(frozen=True)
class PhraseShown:
    phrase: Phrase
    use: str


def phrases_shown(review: Review, account: Account, *, now: datetime) -> list[PhraseShown]:
    """What this person may put into the letter, own phrases first, with how often each was used; one statement."""
    found = usable_phrases(
        [review.service_id],
        account.id,
        since=month_began(account, now),
        letters=letters_sent_lately(review.enrolment, LAST_LETTERS),
    )
    called = review.enrolment.patient.called
    return [PhraseShown(one.phrase, use_words(one, called)) for one in found]


def month_began(account: Account, now: datetime) -> datetime:
    """The first moment of this month where the person is."""
    return to_utc(local_day(now, account.zone).replace(day=1), MIDNIGHT, account.zone)


def use_words(use: PhraseInUse, called: str = "") -> str:
    """Used in 3 of Sam's last 5 letters, 12 times this month by you"""
    parts = []
    if use.in_letters:
        parts.append(
            f"in {use.in_letters} of {called}'s last {use.letters} letters"
            if use.letters > 1
            else f"in {called}'s last letter"
        )
    if use.by_me:
        parts.append(f"{count_words(use.by_me, 'time')} this month by you")
    return f"Used {', '.join(parts)}" if parts else "Not used lately"


def insert_phrase(
    form: LetterForm, review: Review, programme: Programme, account: Account, chosen: str
) -> None:
    """Puts a phrase at the end of the chosen section, with what is known filled in; nothing for a stranger's."""
    number = read_number(chosen)
    found = phrases_of_letter([number] if number else [], service_id=review.service_id, account_id=account.id)
    section = form.phrase_into.data if form.phrase_into.data in form.sections else next(iter(form.sections))
    for phrase in found:
        form.add_words(section, fill_in(phrase.words, _values(form, review, programme)))
        form.phrases.data = ",".join(str(one) for one in dict.fromkeys([*form.phrase_ids, phrase.id]))


def fill_letter(form: LetterForm, review: Review, programme: Programme) -> None:
    """Before the preview: what a phrase left to be filled in is filled in, where it is known by now."""
    value_of = _values(form, review, programme)
    for name in (*form.kept_sections, "step_why"):
        form[name].data = fill_in(form[name].data or "", value_of)
    form.step_what.data = fill_in(
        form.step_what.data or "", lambda name: "" if name == "step" else value_of(name)
    )


def _values(form: LetterForm, review: Review, programme: Programme) -> Callable[[str], str]:
    enrolment = review.enrolment
    values: dict[str, Callable[[], str]] = {
        "called": lambda: enrolment.patient.called,
        "supporter": lambda: enrolment.supporter.called,
        "programme": lambda: programme.title,
        "module": lambda: _title(programme, review.week.module if review.week else None),
        "next_module": lambda: _title(programme, module_of(form.opening)),
        "last_step": lambda: _last_step(review),
        "step": lambda: form.step_what.data or "",
        "step_by": lambda: _step_by(form),
        "next_review": lambda: _next_review(form, review),
        "score_change": lambda: score_sentences(enrolment, programme),
    }
    return lambda name: values[name]()


def _title(programme: Programme, slug: str | None) -> str:
    module = programme.module(slug) if slug else None
    return module.title if module else ""


def _last_step(review: Review) -> str:
    last = reviews.last_sent(review.enrolment)
    return last.letter.step_what if last is not None and last.letter is not None else ""


def _step_by(form: LetterForm) -> str:
    on, at = read_day(form.step_by_on.data), read_time(form.step_by_time.data)
    if on is None:
        return ""
    return f"{long_day(on)}, {clock_time(at)}" if at is not None else long_day(on)


def _next_review(form: LetterForm, review: Review) -> str:
    at = read_instant(form.next_review_at.data)
    return long_day(to_local(at, review.enrolment.supporter.zone)) if at is not None else ""

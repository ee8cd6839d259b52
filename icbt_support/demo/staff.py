"""What the demo's staff do, by the product's verbs: welcomes, letters, replies, calls and endings."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from icbt_support.accounts.models import Account, Role
from icbt_support.cadence import to_local
from icbt_support.demo import words
from icbt_support.demo.people import DR_WEISS, TOM, ZONE, Ending, PersonPlan
from icbt_support.demo.world import Life, World, day_of, wall
from icbt_support.enrolments.models import EndCode, Enrolment, EnrolmentState
from icbt_support.enrolments.operations import ContactDetails
from icbt_support.enrolments.queries import open_enrolments_of_supporter
from icbt_support.hours.queries import absences_to_cover, free_review_times, is_absent, next_free_times
from icbt_support.measures.queries import scores_of
from icbt_support.messages.models import MessageKind
from icbt_support.messages.operations import mark_thread_read, post_message
from icbt_support.messages.queries import open_questions, unread_for_staff
from icbt_support.phrases.models import Phrase
from icbt_support.phrases.queries import usable_phrases
from icbt_support.phrases.rules import fill_in, unfilled
from icbt_support.plan.models import ItemKind, ItemState, Week
from icbt_support.plan.queries import items_with_state, latest_week_of
from icbt_support.plan.rules import StepChoice
from icbt_support.reviews.course import NO_CHANGES, CourseChanges
from icbt_support.reviews.drafts import draft_content, letter_of_draft
from icbt_support.reviews.models import Review
from icbt_support.reviews.operations import mark_previewed, save_draft
from icbt_support.reviews.queries import draft_of, review_of_week, welcome_of
from icbt_support.reviews.rules import (
    LAST_REVIEW,
    PAUSE,
    QUIET_WEEK_HEADINGS,
    SECTION_HEADINGS,
    LetterSection,
    LetterToSend,
    default_opening,
    module_of,
)
from icbt_support.rhythm import ending, invite, lateness, sending, week_items, welcome
from icbt_support.rhythm.weeks import programme_of
from icbt_support.risk.models import CallOutcome
from icbt_support.risk.operations import log_call

STEP_TIME = time(18)
WEEK, FORTNIGHT = 7, 14
NOTICED, ANSWERED, SCORES = SECTION_HEADINGS


def invite_person(world: World, life: Life, now: datetime) -> None:
    """Dr Weiss invites somebody after a first talk."""
    plan = life.plan
    enrolment = invite.invite_patient(
        world.service(),
        email=plan.email,
        full_name=plan.full_name,
        called=plan.called,
        pronouns=plan.pronouns,
        contact=_contact(life),
        supporter=_who_takes_on(world, plan),
        clinician=world.member(DR_WEISS),
        programme=world.programme,
        over_limit_reason="Agreed in supervision: another protected slot opens next month.",
        by=world.as_staff(DR_WEISS, Role.CLINICIAN),
        now=now,
    )
    life.enrolment_id = enrolment.id


def _who_takes_on(world: World, plan: PersonPlan) -> Account:
    """The person's supporter, or Tom once that one has left."""
    supporter = world.member(plan.supporter)
    return supporter if supporter.disabled_at is None else world.member(TOM)


def _contact(life: Life) -> ContactDetails:
    number = life.dice.randint(100, 999)
    return ContactDetails(
        phone=f"01632 960{number}",
        voicemail_ok=life.dice.random() < 0.6,
        safe_times=life.dice.choice(("Weekdays after 5pm", "Mornings", "Any time", "Lunchtime, 12 to 1pm")),
        gp=life.dice.choice(("Northfield Surgery", "Hill Road Practice", "The Weir Medical Centre")),
        emergency_contact=life.dice.choice(
            ("Sister, 01632 960555", "Partner, 01632 960556", "A friend, 01632 960557")
        ),
        usually_at=life.dice.choice(("At home", "At work until 4pm", "With my parents")),
    )


def send_welcome(world: World, life: Life, now: datetime) -> None:
    enrolment = life.enrolment()
    review = welcome_of(enrolment)
    if review is None or not review.is_owed:
        return
    said = life.dice.choice(words.WELCOMES).format(
        called=life.plan.called, supporter=enrolment.supporter.called
    )
    by = world.as_supporter(review.owner_id)
    welcome.send_welcome(review, said, posted_key=world.posted_key(), by=by, now=now)


# Letters ----------------------------------------------------------------------------------------------------


def write_review(
    world: World, life: Life, number: int, now: datetime, letter: LetterToSend | None = None
) -> None:
    """Reads the thread, writes, previews and sends; nothing if it was sent, merged or cancelled meanwhile."""
    enrolment = life.enrolment()
    review = review_of_week(enrolment, number)
    if review is None or not review.is_owed or enrolment.state is not EnrolmentState.ACTIVE:
        return
    by = world.as_supporter(review.owner_id)
    letter = letter or compose(world, life, review, now)
    mark_thread_read(enrolment, by=by, now=now)
    known = draft_of(review)
    draft = save_draft(
        review, draft_content(letter), version=known.version if known else None, by=by, now=now
    )
    mark_previewed(review, version=draft.version, by=by, now=now)
    sending.send_review(review, letter_of_draft(draft.content), draft_version=draft.version, by=by, now=now)


def compose(world: World, life: Life, review: Review, now: datetime) -> LetterToSend:
    """A letter about the week that there was, with the step and the week that follow from it."""
    enrolment = review.enrolment
    week = latest_week_of(enrolment)
    opens = _opens(world, life, enrolment, week, review.number)
    is_quiet = week is None or not _kept(week)
    step = words.QUIET_STEP if is_quiet else life.dice.choice(words.STEPS[module_of(opens) or "keeping-well"])
    days = FORTNIGHT if _goes_slower(life, review) else enrolment.cadence_days
    review_at = None if opens == LAST_REVIEW else next_review_at(review, now, days)
    sections = _sections(world, life, enrolment, week, is_quiet, is_last=opens == LAST_REVIEW)
    phrase = None if is_quiet else _phrase_for(review, week, now)
    return LetterToSend(
        sections=_with_phrase(sections, phrase.words) if phrase else sections,
        step=None if opens == LAST_REVIEW else choice_of(step, review_at, now),
        opens=opens,
        next_review_at=review_at,
        minutes=life.dice.randint(9, 16),
        changes=CourseChanges(cadence_days=FORTNIGHT) if _goes_slower(life, review) else NO_CHANGES,
        phrases=(phrase.phrase.id,) if phrase else (),
    )


def _goes_slower(life: Life, review: Review) -> bool:
    return review.number == life.plan.fortnightly_from_review


@dataclass(frozen=True)
class _FilledIn:
    """A phrase as it stands in one letter, its variables filled in."""

    phrase: Phrase
    words: str


def _phrase_for(review: Review, week: Week | None, now: datetime) -> _FilledIn | None:
    """Every third letter holds a phrase without gaps, the service's or the writer's own: they do not all sound
    alike.
    """
    place, is_without = divmod(review.id, 3)
    if is_without or week is None:
        return None
    module = programme_of(review.enrolment).module(week.module)
    values = {"called": review.enrolment.patient.called, "module": module.title if module is not None else ""}
    usable = usable_phrases([review.service_id], review.owner_id, since=now)
    filled = [
        _FilledIn(one.phrase, fill_in(one.phrase.words, lambda name: values.get(name, ""))) for one in usable
    ]
    known = [one for one in filled if not unfilled(one.words)]
    return known[place % len(known)] if known else None


def _with_phrase(sections: tuple[LetterSection, ...], words: str) -> tuple[LetterSection, ...]:
    """The phrase stands at the end of the first part of the letter."""
    first, *others = sections
    return (LetterSection(first.heading, f"{first.words}\n\n{words}"), *others)


def choice_of(step: words.Step, review_at: datetime | None, now: datetime) -> StepChoice:
    by_on = day_of(now) + timedelta(days=step.days)
    if review_at is not None:
        by_on = min(by_on, day_of(review_at) - timedelta(days=1))
    return StepChoice(step.what, step.why, by_on, STEP_TIME)


def _opens(world: World, life: Life, enrolment: Enrolment, week: Week | None, number: int) -> str:
    plan = life.plan
    if week is None:
        return f"module:{world.programme.modules[0].slug}"
    if plan.ending is Ending.LAST_REVIEW and number >= plan.ends_in_week:
        return LAST_REVIEW
    was_opened = week_items.was_opened(enrolment, week.module)
    ahead = enrolment.modules_ahead
    opening = default_opening(world.programme, week.module, was_opened=was_opened, ahead=ahead)
    if plan.ending is Ending.PAUSES and number >= plan.ends_in_week:
        return PAUSE
    return opening


def _kept(week: Week) -> list[bool]:
    """For each session of the week that is over: whether it was done; empty when nothing at all was done."""
    items = items_with_state(week)
    if all(one.state is not ItemState.DONE for one in items):
        return []
    return [one.state is ItemState.DONE for one in items if one.item.kind is ItemKind.SESSION]


def _sections(
    world: World, life: Life, enrolment: Enrolment, week: Week | None, is_quiet: bool, *, is_last: bool
) -> tuple[LetterSection, ...]:
    if is_quiet or week is None:
        first, second = QUIET_WEEK_HEADINGS
        return words.sections((first, life.dice.choice(words.NOTICED_QUIET)), (second, words.GOT_IN_THE_WAY))
    kept = _kept(week)
    noticed = life.dice.choice(words.NOTICED_ACTIVE) if sum(kept) else words.NOTICED_ACTIVE[3]
    measure = world.programme.measures[world.programme.check_in[0]]
    scores = scores_of([enrolment.id]).get(enrolment.id, {}).get(measure.slug, [])
    question = life.dice.choice(words.QUESTION_ANSWERS) if open_questions(enrolment) else ""
    return words.sections(
        (NOTICED, words.LAST_WORDS if is_last else noticed.format(kept=sum(kept), planned=len(kept))),
        (ANSWERED, question),
        (SCORES, words.words_about_scores(measure, [score.total for score in scores])),
    )


def next_review_at(review: Review, now: datetime, cadence_days: int = WEEK) -> datetime:
    """The same place a cadence later if it is free, else the next free one."""
    enrolment = review.enrolment
    on = day_of(review.slot_at or review.promised_at) + timedelta(days=cadence_days)
    on = max(on, day_of(now) + timedelta(days=4))
    if review.slot_at is not None:
        wanted = wall(on, to_local(review.slot_at, ZONE).time())
        free = free_review_times(enrolment.supporter_id, on, on, service=enrolment.service, now=now)
        if any(one.starts_at == wanted for one in free):
            return wanted
    return next_free_times(enrolment.supporter_id, on, service=enrolment.service, now=now, count=1)[
        0
    ].starts_at


def take_late_review(world: World, life: Life, number: int, new_promised_at: datetime, now: datetime) -> None:
    """A named person takes what is late, and gives its new date."""
    review = review_of_week(life.enrolment(), number)
    if review is None or not review.is_late(now) or life.enrolment().state is not EnrolmentState.ACTIVE:
        return
    lateness.take_review(review, new_promised_at, by=world.as_supporter(review.owner_id), now=now)


def begin_draft(world: World, life: Life, number: int, said: str, now: datetime) -> None:
    """Half a letter, saved as it is typed."""
    review = review_of_week(life.enrolment(), number)
    if review is None or not review.is_owed:
        return
    half = LetterToSend(words.sections((NOTICED, said)), None, "", None)
    by = world.as_supporter(review.owner_id)
    save_draft(review, draft_content(half), version=None, by=by, now=now)


# Messages, calls and endings --------------------------------------------------------------------------------


def read_messages(world: World, email: str, now: datetime) -> None:
    """On a review day a supporter reads what came in and answers some of it; the day's reviews come later.

    Whoever is away does not; their cover does.
    """
    by, on = world.as_staff(email, Role.SUPPORTER), day_of(now)
    if is_absent(world.staff[email], on) is not None:
        return
    covered = [one.account_id for one in absences_to_cover(world.staff[email], on) if one.from_on <= on]
    mine = {
        enrolment.id: world.life_of(enrolment.id)
        for supporter_id in (world.staff[email], *covered)
        for enrolment in open_enrolments_of_supporter(supporter_id)
    }
    for enrolment_id in sorted(unread_for_staff(list(mine))):
        life = mine[enrolment_id]
        enrolment = life.enrolment()
        if _is_written_today(enrolment, now):
            continue
        mark_thread_read(enrolment, by=by, now=now)
        if life.dice.random() < 0.4 and enrolment.state is not EnrolmentState.ENDED:
            post_message(
                enrolment,
                life.dice.choice(words.REPLIES),
                kind=MessageKind.MESSAGE,
                posted_key=world.posted_key(),
                by=by,
                now=now,
            )


def _is_written_today(enrolment: Enrolment, now: datetime) -> bool:
    week = latest_week_of(enrolment)
    review = review_of_week(enrolment, week.number) if week else None
    return review is not None and review.is_owed and review.due_on <= day_of(now)


def try_to_call(world: World, life: Life, note: str, now: datetime) -> None:
    enrolment = life.enrolment()
    if enrolment.state is EnrolmentState.ENDED:
        return
    by = world.as_supporter(enrolment.supporter_id)
    log_call(enrolment, CallOutcome.NO_ANSWER, note, None, by=by, now=now)


def write_note(world: World, life: Life, now: datetime) -> None:
    """One kind note after a quiet week."""
    enrolment = life.enrolment()
    if enrolment.state is not EnrolmentState.ACTIVE:
        return
    post_message(
        enrolment,
        words.QUIET_NOTE.format(called=life.plan.called),
        kind=MessageKind.NOTE,
        posted_key=world.posted_key(),
        by=world.as_supporter(enrolment.supporter_id),
        now=now,
    )


def end_course(world: World, life: Life, code: EndCode, reason: str, now: datetime) -> None:
    enrolment = life.enrolment()
    if enrolment.state is EnrolmentState.ENDED:
        return
    ending.end_course(enrolment, code, reason=reason, by=world.as_staff(DR_WEISS, Role.CLINICIAN), now=now)
    life.is_gone = True

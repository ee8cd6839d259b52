"""The review workspace: what happened, one letter, and the patient's next week as it will open."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from icbt_support.accounts.models import Role
from icbt_support.engagement import person
from icbt_support.hours.refusals import InsideAbsence, SlotTaken, TimeNotFree
from icbt_support.messages.operations import mark_thread_read
from icbt_support.pages.commits import commits
from icbt_support.pages.early_warnings import warning_panel
from icbt_support.pages.guards import allow, current_account, request_time, supporter_actor
from icbt_support.pages.supporter import kept_words, quotes, review_words
from icbt_support.pages.supporter.claims import claim_note
from icbt_support.pages.supporter.late_review import needs_a_date
from icbt_support.pages.supporter.letter_choices import LetterChoices, letter_choices
from icbt_support.pages.supporter.letter_step import title_of
from icbt_support.pages.supporter.move_review import can_move
from icbt_support.pages.supporter.review_checks import (
    absence_sentence,
    is_late_follow,
    is_ready,
    taken_sentence,
)
from icbt_support.pages.supporter.review_draft import CONFLICT, keeps_words
from icbt_support.pages.supporter.review_facts import know_now, score_sentences, workspace_facts
from icbt_support.pages.supporter.review_form import (
    LETTER,
    SHORT,
    LetterForm,
    follow_cadence,
    new_form,
    offer,
)
from icbt_support.pages.supporter.review_phrases import fill_letter, insert_phrase, phrases_shown
from icbt_support.pages.supporter.review_scope import caseload_review, programme_of, workspace_review
from icbt_support.pages.supporter.typed_values import read_instant, read_number
from icbt_support.pages.supporter.words import moment_inside, promise_words
from icbt_support.read_once import one_page
from icbt_support.reviews import queries as reviews
from icbt_support.reviews.course import weeks_in_all
from icbt_support.reviews.drafts import letter_of_draft
from icbt_support.reviews.models import Review, ReviewDraft, ReviewKind, ReviewState
from icbt_support.reviews.operations import mark_previewed, save_draft
from icbt_support.reviews.readability import reading_words
from icbt_support.reviews.rules import (
    LetterIncomplete,
    NotPreviewed,
    PatientWroteMeanwhile,
    ReviewAlreadySent,
    WeekOpenedMeanwhile,
)
from icbt_support.rhythm.course_changes import section_from_here_on, sections_as_sent
from icbt_support.rhythm.proposing import propose_next_week
from icbt_support.rhythm.sending import send_review
from icbt_support.rhythm.strips import strip_of_proposal, strip_of_week

blueprint = Blueprint("supporter_review", __name__)


# The workspace ------------------------------------------------------------------------------------


@blueprint.get("/supporting/reviews/<id:review_id>")
@allow(Role.SUPPORTER)
def show(review_id: int) -> Any:
    with one_page():
        return _show(workspace_review(review_id))


def _show(review: Review) -> Any:
    if review.kind is ReviewKind.WELCOME:
        return redirect(url_for("supporter_welcome.show", enrolment_id=review.enrolment_id))
    if review.state is ReviewState.SENT:
        return redirect(url_for("supporter_sent_review.show", review_id=review.id))
    if not review.is_owed:
        return render_template(
            "supporter/review_not_owed.html",
            review=review,
            kept=kept_words.left_of(review, current_account().id),
        )
    now = request_time()
    know_now(review, now=now)
    choices = letter_choices(review, programme_of(review), now=now)
    draft = reviews.draft_of(review)
    form = new_form(choices, draft, is_short=_is_quiet_week(review), now=now)
    return _render(review, form, choices, draft)


@blueprint.post("/supporting/reviews/<id:review_id>")
@allow(Role.SUPPORTER)
@keeps_words
@commits
def save(review_id: int) -> Any:
    review, form, choices = _posted(review_id)
    actor, now = supporter_actor(review.enrolment), request_time()
    anchor = _apply_button(form, review, choices)
    is_preview = "preview" in request.form
    if is_preview:
        fill_letter(form, review, programme_of(review))
    problems = is_preview and not is_ready(form, review, now)
    draft = save_draft(review, form.to_draft(), version=form.draft_version, by=actor, now=now)
    if problems:
        form.version.data = str(draft.version)
        return _render(review, form, choices, draft)
    if is_preview:
        mark_previewed(review, version=draft.version, by=actor, now=now)
        return redirect(url_for(".preview", review_id=review.id))
    if "note" in request.form:
        return redirect(url_for("supporter_notes.show", enrolment_id=review.enrolment_id, review=review.id))
    return redirect(url_for(".show", review_id=review.id, _anchor=anchor))


@blueprint.post("/supporting/reviews/<id:review_id>/next-week")
@allow(Role.SUPPORTER)
def redraw(review_id: int) -> Any:
    """The patient's next week as it would open with what is chosen now; stores nothing."""
    review, form, _ = _posted(review_id)
    return render_template("supporter/review_next_week.html", **_next_week(review, form))


def _posted(review_id: int) -> tuple[Review, LetterForm, LetterChoices]:
    review = caseload_review(review_id)
    programme = programme_of(review)
    choices = letter_choices(review, programme, now=request_time())
    form = offer(LetterForm(), choices)
    form.step_what.data = form.step_what.data or title_of(form.step_subject, programme)
    follow_cadence(form, choices)
    return review, form, choices


def _apply_button(form: LetterForm, review: Review, choices: LetterChoices) -> str:
    """Does what the pressed button asks of the form; returns where the page opens again."""
    values = request.form
    if "leave_out" in values and values["leave_out"] in form.sections:
        form.leave_out(values["leave_out"])
    elif "put_back" in values:
        form.put_back(values["put_back"])
    elif values.get("switch") in (LETTER, SHORT):
        form.shape.data = values["switch"]
    elif "quote" in values:
        return _quote(form, review, values["quote"])
    elif "phrase" in values:
        insert_phrase(form, review, programme_of(review), current_account(), values["phrase"])
    elif "kept" in values:
        kept_words.put_into(form, review, current_account().id, values["kept"])
    elif "while_away" in values:
        return _choose_while_away(form, choices, values["while_away"])
    elif "draw" in values:
        return "next-week"
    elif "reorder" in values:
        return "course"
    return "letter"


def _choose_while_away(form: LetterForm, choices: LetterChoices, value: str) -> str:
    option = choices.away.option(value) if choices.away is not None else None
    if option is not None:
        form.choose_while_away(option)
    return "next-review"


def _quote(form: LetterForm, review: Review, reference: str) -> str:
    if reference == "scores":
        section, words = "scores", score_sentences(review.enrolment, programme_of(review))
    else:
        section, words = quotes.quote(review.enrolment, programme_of(review), reference)
    if words:
        form.add_words(section if section in form.sections else next(iter(form.sections)), words)
    return "letter"


def _is_quiet_week(review: Review) -> bool:
    """Whether nothing was done in the week that this review closes: then the short form opens."""
    return review.week is not None and not person.did_anything_since(review.enrolment, review.week.opened_at)


# Preview and send ---------------------------------------------------------------------------------


@blueprint.get("/supporting/reviews/<id:review_id>/preview")
@allow(Role.SUPPORTER)
def preview(review_id: int) -> Any:
    review = caseload_review(review_id)
    draft = reviews.draft_of(review)
    if not review.is_owed or draft is None or draft.previewed_version != draft.version:
        return redirect(url_for(".show", review_id=review.id))
    return render_template("supporter/review_preview.html", **_preview_values(review, draft))


@blueprint.post("/supporting/reviews/<id:review_id>/preview")
@allow(Role.SUPPORTER)
@keeps_words
@commits
def preview_again(review_id: int) -> Any:
    """The same draft is looked at once more, with what the patient has written since."""
    review = caseload_review(review_id)
    version = read_number(request.form.get("version")) or 0
    mark_previewed(review, version=version, by=supporter_actor(review.enrolment), now=request_time())
    return redirect(url_for(".preview", review_id=review.id))


@blueprint.post("/supporting/reviews/<id:review_id>/send")
@allow(Role.SUPPORTER)
@keeps_words
def send(review_id: int) -> Any:
    """Final, and one transaction. A second click finds the review sent and shows the same result."""
    try:
        return _send(review_id)
    except ReviewAlreadySent as refusal:
        if refusal.by != current_account().id:
            raise
        return redirect(url_for("supporter_sent_review.show", review_id=review_id))
    except PatientWroteMeanwhile as refusal:
        return _patient_wrote(review_id, refusal)
    except WeekOpenedMeanwhile:
        flash(
            "The next week opened meanwhile. Look at the letter again: it adds its step to that week.",
            "information",
        )
    except NotPreviewed:
        flash("Look at the letter as the patient will see it before you send it.", "information")
    except LetterIncomplete as refusal:
        flash(" ".join(problem.words for problem in refusal.problems), "problem")
    except TimeNotFree as refusal:
        flash(f"{_time_sentence(review_id, refusal)}. Your letter is kept.", "problem")
    return redirect(url_for(".show", review_id=review_id, _anchor="next-review"))


def _time_sentence(review_id: int, refusal: TimeNotFree) -> str:
    review = caseload_review(review_id)
    if isinstance(refusal, InsideAbsence):
        return absence_sentence(review, refusal.absence)
    if isinstance(refusal, SlotTaken):
        return taken_sentence(review, request_time())
    return "The next review is not in a review time any more. Choose another day"


@commits
def _send(review_id: int) -> Any:
    review = caseload_review(review_id)
    if review.state is ReviewState.SENT:
        raise ReviewAlreadySent(review.sent_by, review.sent_at)
    draft = reviews.draft_of(review)
    version = read_number(request.form.get("version"))
    if draft is None or version is None:
        raise NotPreviewed
    actor, now = supporter_actor(review.enrolment), request_time()
    send_review(review, letter_of_draft(draft.content), draft_version=version, by=actor, now=now)
    mark_thread_read(review.enrolment, by=actor, now=now)
    return redirect(url_for("supporter_sent_review.show", review_id=review.id))


send.commits = True  # type: ignore[attr-defined]


def _preview_values(review: Review, draft: ReviewDraft) -> dict[str, Any]:
    now, enrolment = request_time(), review.enrolment
    letter = letter_of_draft(draft.content)
    opened_at = read_instant(draft.content.get("opened_at")) or draft.saved_at
    events = reviews.patient_events_since(enrolment, opened_at, until=now)
    return {
        "review": review,
        "draft": draft,
        "letter": letter,
        "sections": [(section.heading, section.words) for section in sections_as_sent(enrolment, letter)],
        "reading": reading_words("\n\n".join(section.words for section in letter.sections)),
        "author": current_account(),
        "events": [review_words.event_words(event, now=now, zone=current_account().zone) for event in events],
        "next_review": review_words.next_review_words(review, letter),
        "proposal": propose_next_week(review, letter.choice, now=now),
        "strip": strip_of_proposal(review, letter.choice, now=now),
        "is_late_follow": is_late_follow(review),
    }


# What the workspace shows -------------------------------------------------------------------------


def _render(review: Review, form: LetterForm, choices: LetterChoices, draft: ReviewDraft | None) -> str:
    account, now, enrolment = current_account(), request_time(), review.enrolment
    programme = programme_of(review)
    facts, known = workspace_facts(review, programme, reader=account, now=now)
    saved_at = draft.saved_at if draft is not None else None
    return render_template(
        "supporter/review.html",
        review=review,
        enrolment=enrolment,
        form=form,
        choices=choices,
        programme=programme,
        weeks_in_all=weeks_in_all(programme, review.number, enrolment.modules_ahead),
        facts=facts,
        known=known,
        early_warning=warning_panel(
            enrolment,
            url_for("supporter_early_warning.show", enrolment_id=enrolment.id, back="review"),
            now=now,
        ),
        last_strip=strip_of_week(enrolment, review.week, now=now) if review.week is not None else None,
        due=promise_words(review.promised_at, now=now, zone=account.zone),
        is_late=review.is_late(now),
        needs_a_date=needs_a_date(review),
        can_move=can_move(review),
        can_take=review.waits_for(account.id) and not review.is_late(now),
        is_late_follow=is_late_follow(review),
        saved=moment_inside(saved_at, now=now, zone=account.zone) if saved_at else "",
        other_author=_other_author(draft),
        claim=claim_note(review),
        came_late=reviews.check_in_came_late(review),
        kept=kept_words.kept_for(review, account.id, now=now, zone=account.zone),
        prompts=review_words.PROMPTS,
        phrases=phrases_shown(review, account, now=now),
        **_next_week(review, form),
    )


def _next_week(review: Review, form: LetterForm) -> dict[str, Any]:
    now, choice = request_time(), form.choice()
    proposal = propose_next_week(review, choice, now=now)
    planned = len(proposal.reminders)
    return {
        "next_strip": strip_of_proposal(review, choice, now=now),
        "next_note": review_words.plan_note(planned, person.prompts_owed(review.enrolment)),
        "called": review.enrolment.patient.called,
        "is_open_already": proposal.is_open_already,
        "reading": reading_words("\n\n".join(form[name].data or "" for name in form.kept_sections)),
        "from_here_on": [one.words for one in section_from_here_on(review.enrolment, choice)],
    }


def _other_author(draft: ReviewDraft | None) -> str:
    if draft is None or draft.author_id == current_account().id:
        return ""
    return review_words.name_of(draft.author_id)


def _patient_wrote(review_id: int, refusal: PatientWroteMeanwhile) -> Any:
    review, now = caseload_review(review_id), request_time()
    zone = current_account().zone
    events = [review_words.event_words(event, now=now, zone=zone) for event in refusal.events]
    draft = reviews.draft_of(review)
    page = render_template("supporter/review_patient_wrote.html", review=review, draft=draft, events=events)
    return page, CONFLICT

"""One meeting with a supporter: what was decided before, the people on the list, a letter to read together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from icbt_support.accounts.models import Role
from icbt_support.cadence import to_local
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LongText
from icbt_support.pages.guards import (
    allow,
    clinician_actor,
    current_account,
    current_actor,
    refuse_record,
    request_time,
    services_with_role,
)
from icbt_support.pages.kit import day_and_time
from icbt_support.pages.reads import note_read
from icbt_support.pages.supervision_words import (
    DECISION_WORDS,
    FOLLOW_UP_WORDS,
    DecisionView,
    ReasonLine,
    decision_view,
    reason_lines,
    since_words,
)
from icbt_support.supervision.letters import letters_of_meeting
from icbt_support.supervision.models import SupervisionDiscussion, SupervisionMeeting
from icbt_support.supervision.operations import (
    MeetingHasEnded,
    NothingWasDecided,
    decide_in_meeting,
    end_meeting,
    follow_up_decision,
)
from icbt_support.supervision.queries import (
    decided_before,
    discussions_of,
    happened_since,
    open_meeting_of,
    scoped_discussion,
    scoped_meeting,
)
from icbt_support.supervision.rules import FollowUp, SupervisionDecision

blueprint = Blueprint("clinician_supervision_meeting", __name__)
CONFLICT = 409


class DecisionForm(FlaskForm):
    decision = RadioField(
        "What do you decide together?",
        choices=[SelectChoice(decision.value, words) for decision, words in DECISION_WORDS.items()],
        validators=[InputRequired("Select what you decide together")],
    )
    note = LongText("Note (staff only)")


class FollowUpForm(FlaskForm):
    follow_up = RadioField(
        "Did it happen?",
        choices=[SelectChoice(one.value, words) for one, words in FOLLOW_UP_WORDS.items()],
        validators=[InputRequired("Select whether it happened")],
    )


@dataclass(frozen=True)
class PersonView:
    """One person of the list: the reasons, the decision if there is one, and the form."""

    discussion: SupervisionDiscussion
    reasons: list[ReasonLine]
    decided: DecisionView | None
    form: DecisionForm


@dataclass(frozen=True)
class EarlierView:
    """One earlier decision that asks for something, and what happened since."""

    decided: DecisionView
    since: str
    form: FollowUpForm


@blueprint.get("/clinical/supervision/meetings/<id:meeting_id>")
@allow(Role.CLINICIAN)
def show(meeting_id: int) -> str:
    return _page(_meeting_or_404(meeting_id))


@blueprint.post("/clinical/supervision/people/<id:discussion_id>")
@allow(Role.CLINICIAN)
@commits
def decide(discussion_id: int) -> Any:
    discussion, form = _discussion_or_404(discussion_id), DecisionForm()
    meeting = discussion.meeting
    if not form.validate_on_submit():
        return _page(meeting, (discussion.id, form)), 400

    def keep() -> None:
        decide_in_meeting(
            discussion,
            SupervisionDecision(form.decision.data),
            form.note.data,
            by=clinician_actor(discussion.enrolment),
            now=request_time(),
        )

    return _answer(meeting, keep, _next_anchor(discussion))


@blueprint.post("/clinical/supervision/people/<id:discussion_id>/follow-up")
@allow(Role.CLINICIAN)
@commits
def follow_up(discussion_id: int) -> Any:
    """Whether an earlier decision happened: said on the page of the meeting that is open now."""
    discussion, form = _discussion_or_404(discussion_id), FollowUpForm()
    held = open_meeting_of(discussion.meeting.supporter_id, discussion.enrolment.service)
    meeting = held or discussion.meeting
    if not form.validate_on_submit():
        return _page(meeting, (discussion.id, form)), 400

    def keep() -> None:
        by = clinician_actor(discussion.enrolment)
        follow_up_decision(discussion, FollowUp(form.follow_up.data), by=by, now=request_time())

    return _answer(meeting, keep, "before")


@blueprint.post("/clinical/supervision/meetings/<id:meeting_id>/end")
@allow(Role.CLINICIAN)
@commits
def end(meeting_id: int) -> Any:
    meeting = _meeting_or_404(meeting_id)
    end_meeting(meeting, by=current_actor(Role.CLINICIAN, meeting.service_id), now=request_time())
    flash(f"The meeting has ended. {meeting.supporter.called} sees what was decided.", "success")
    return redirect(url_for("clinician_supervision.show", account_id=meeting.supporter_id))


def _answer(meeting: SupervisionMeeting, keep: Callable[[], None], anchor: str) -> Any:
    try:
        keep()
    except (MeetingHasEnded, NothingWasDecided):
        flash(
            "This meeting has ended, so nothing was changed. Start the next one to decide again.", "problem"
        )
        return _page(meeting), CONFLICT
    return redirect(url_for(".show", meeting_id=meeting.id, _anchor=anchor))


def _next_anchor(discussion: SupervisionDiscussion) -> str:
    """The next person without a decision, or the letters where nobody is left."""
    waiting = [
        one.id
        for one in discussions_of(discussion.meeting, reader_id=current_account().id)
        if one.decision is None and one.position > discussion.position
    ]
    return f"person-{waiting[0]}" if waiting else "letters"


def _meeting_or_404(meeting_id: int) -> SupervisionMeeting:
    meeting = scoped_meeting(services_with_role(Role.CLINICIAN), meeting_id)
    if meeting is None:
        refuse_record("supervision_meeting", meeting_id, Role.CLINICIAN)
    return meeting


def _discussion_or_404(discussion_id: int) -> SupervisionDiscussion:
    discussion = scoped_discussion(
        services_with_role(Role.CLINICIAN), discussion_id, reader_id=current_account().id
    )
    if discussion is None:
        refuse_record("supervision_discussion", discussion_id, Role.CLINICIAN)
    return discussion


def _note_read(meeting: SupervisionMeeting) -> None:
    note_read(
        "read_supervision",
        by=current_actor(Role.CLINICIAN, meeting.service_id),
        now=request_time(),
        object_kind="supervision_meeting",
        object_id=meeting.id,
    )


def _page(meeting: SupervisionMeeting, posted: tuple[int, FlaskForm] | None = None) -> str:
    _note_read(meeting)
    zone, me = current_account().zone, current_account().id
    discussions = discussions_of(meeting, reader_id=me)
    earlier = decided_before(meeting, reader_id=me)
    since = happened_since(earlier)
    people = [_person(one, posted, zone) for one in discussions]
    return render_template(
        "clinician/supervision_meeting.html",
        meeting=meeting,
        started=day_and_time(to_local(meeting.started_at, zone)),
        before=[
            EarlierView(
                decision_view(one, zone), since_words(since.get(one.id)), _follow_up_form(one, posted)
            )
            for one in earlier
        ],
        people=people,
        left=sum(1 for one in people if one.decided is None),
        letters=letters_of_meeting(meeting, reader_id=me),
        posted=posted[1] if posted else None,
    )


def _person(discussion: SupervisionDiscussion, posted: tuple[int, FlaskForm] | None, zone: str) -> PersonView:
    form = (
        posted[1]
        if posted and posted[0] == discussion.id and isinstance(posted[1], DecisionForm)
        else DecisionForm(formdata=None, decision=discussion.decision, note=discussion.note)
    )
    form.decision.id, form.note.id = f"decision-{discussion.id}", f"note-{discussion.id}"
    return PersonView(
        discussion,
        reason_lines([(title, words) for title, words in discussion.reasons]),
        decision_view(discussion, zone) if discussion.decision is not None else None,
        form,
    )


def _follow_up_form(discussion: SupervisionDiscussion, posted: tuple[int, FlaskForm] | None) -> FollowUpForm:
    if posted and posted[0] == discussion.id and isinstance(posted[1], FollowUpForm):
        form = posted[1]
    else:
        form = FollowUpForm(formdata=None, follow_up=discussion.follow_up)
    form.follow_up.id = f"follow-up-{discussion.id}"
    return form

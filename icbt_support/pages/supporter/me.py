"""What patients read about their supporter: a few words, and a photo if the supporter likes."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.accounts.operations import describe_supporter
from icbt_support.accounts.photos import LARGEST_UPLOAD, NotAPhoto, PhotoTooLarge, make_photo
from icbt_support.accounts.portraits import keep_photo, photo_of, remove_photo
from icbt_support.accounts.queries import supporter_profile
from icbt_support.audit.models import Actor
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import Line, LongText
from icbt_support.pages.guards import allow, current_account, current_actor, current_service, request_time
from icbt_support.pages.photos import photo_response

ROOM_FOR_A_FORM = 64 * 1024
LONGEST_ABOUT = 600
blueprint = Blueprint("supporter_me", __name__)
View = Response | str | tuple[str, int]


@blueprint.url_value_preprocessor
def _allow_a_photo(_endpoint: str | None, _values: dict | None) -> None:
    """Runs before any body is read: here alone one may be as large as a photo."""
    request.max_content_length = LARGEST_UPLOAD + ROOM_FOR_A_FORM


class WordsForm(FlaskForm):
    job_title = Line("Your role", missing="Enter your role, like Wellbeing practitioner", maximum=80)
    about = LongText(
        "A few words about you (optional)",
        description="How you work, or what you like. Only what you would tell a new patient.",
    )


class PhotoForm(FlaskForm):
    photo = FileField(
        "Photo", description="A JPEG, PNG or WebP file of up to 4 MB. We keep a small square of it."
    )
    alt = Line(
        "The photo in a few words",
        missing="Write what the photo shows, for people who cannot see it",
        maximum=200,
        description="For people who cannot see it, like “Priya in a garden, smiling”.",
    )


@blueprint.get("/supporting/me")
@allow(Role.SUPPORTER)
def show() -> str:
    profile = supporter_profile(current_account().id)
    return _page(WordsForm(formdata=None, job_title=profile.job_title, about=profile.about))


@blueprint.post("/supporting/me")
@allow(Role.SUPPORTER)
@commits
def describe() -> View:
    form = WordsForm()
    if form.validate_on_submit() and len(form.about.data) > LONGEST_ABOUT:
        form.about.errors = [f"Write this in {LONGEST_ABOUT} characters or fewer"]
    if form.errors or not form.is_submitted():
        return _page(form), 422
    describe_supporter(
        current_account(),
        job_title=form.job_title.data,
        about=form.about.data,
        by=_actor(),
        now=request_time(),
    )
    flash("Saved. Your patients read this on the page about you.", "success")
    return redirect(url_for("supporter_me.show"))


@blueprint.post("/supporting/me/photo")
@allow(Role.SUPPORTER)
@commits
def upload() -> View:
    form = PhotoForm()
    form.validate_on_submit()
    uploaded = form.photo.data.stream.read(LARGEST_UPLOAD + 1) if form.photo.data else b""
    image = _read_photo(form, uploaded)
    if image is None or form.errors:
        return _page(photo_form=form), 422
    keep_photo(current_account(), image, alt=form.alt.data, by=_actor(), now=request_time())
    flash("Your photo is saved. Only your own patients see it.", "success")
    return redirect(url_for("supporter_me.show"))


@blueprint.post("/supporting/me/photo/remove")
@allow(Role.SUPPORTER)
@commits
def remove() -> Response:
    remove_photo(current_account(), by=_actor(), now=request_time())
    flash("Your photo is removed. Patients see your initials.", "success")
    return redirect(url_for("supporter_me.show"))


@blueprint.get("/supporting/me/photo")
@allow(Role.SUPPORTER)
def photo() -> Response:
    """The supporter's own photo, for the supporter."""
    stored = photo_of(current_account().id)
    if stored is None:
        abort(404)
    return photo_response(stored)


def _read_photo(form: PhotoForm, uploaded: bytes) -> bytes | None:
    if not uploaded:
        form.photo.errors = ["Select a photo"]
        return None
    try:
        return make_photo(uploaded)
    except PhotoTooLarge:
        form.photo.errors = ["Select a smaller photo: up to 4 MB and 25 megapixels"]
    except NotAPhoto:
        form.photo.errors = ["Select a JPEG, PNG or WebP photo. This file could not be read as one"]
    return None


def _page(form: WordsForm | None = None, photo_form: PhotoForm | None = None) -> str:
    account = current_account()
    profile = supporter_profile(account.id)
    words = form or WordsForm(formdata=None, job_title=profile.job_title, about=profile.about)
    return render_template(
        "supporter/me.html",
        account=account,
        form=words,
        photo_form=photo_form or PhotoForm(formdata=None),
        posted=next((one for one in (words, photo_form) if one is not None and one.errors), None),
        photo=photo_of(account.id),
    )


def _actor() -> Actor:
    return current_actor(Role.SUPPORTER, current_service(Role.SUPPORTER).id)

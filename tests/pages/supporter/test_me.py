"""What patients read about their supporter, and the photo that comes without what came along with it."""

import io
import struct
import zlib

import pytest
from PIL import Image

from icbt_support.accounts.photos import MOST_PIXELS, SIDE, NotAPhoto, PhotoTooLarge, make_photo
from icbt_support.accounts.portraits import photo_of
from icbt_support.accounts.queries import supporter_profile
from icbt_support.db import db
from tests.browsing import PageClient
from tests.pages.visits import status_of

ME = "/supporting/me"
WITH_A_PLACE = "canary-51.5074-north"


def photo(kind="JPEG", size=(900, 600), **saving):
    out = io.BytesIO()
    Image.new("RGB", size, (180, 60, 20)).save(out, kind, **saving)
    return out.getvalue()


def photo_with_a_place():
    """Lies on its side, and says where and with what it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = WITH_A_PLACE
    exif.get_ifd(0x8825)[1] = "N"
    return photo(exif=exif, comment=WITH_A_PLACE.encode())


def png_bomb(side=30_000):
    """A few kilobytes that say they are 900 megapixels."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = zlib.compress(b"\x00" * 2_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.fixture
def visitor(client, cast):
    return client.sign_in(cast.supporter)


def upload(visitor, content, name="me.jpg", alt="Pat in a garden"):
    visitor.get(ME)
    return visitor.post(f"{ME}/photo", {"photo": (io.BytesIO(content), name), "alt": alt})


def kept(cast):
    db.session.rollback()
    return photo_of(cast.supporter.id)


def test_any_photo_becomes_a_small_square_without_what_came_along():
    for given in (photo_with_a_place(), photo("PNG"), photo("WEBP"), photo(size=(40, 3000))):
        made = make_photo(given)
        with Image.open(io.BytesIO(made)) as picture:
            assert (picture.format, picture.size) == ("JPEG", (SIDE, SIDE))
            assert not picture.getexif()
            assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert WITH_A_PLACE.encode() not in made
        assert len(made) < 100_000


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"This is a text that calls itself me.jpg", NotAPhoto),
        (b"", NotAPhoto),
        (photo()[:400], NotAPhoto),
        (photo("GIF"), NotAPhoto),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", NotAPhoto),
        (png_bomb(), PhotoTooLarge),
        (photo("PNG", size=(MOST_PIXELS // 1000 + 1, 1000)), PhotoTooLarge),
        (b"\xff\xd8" + b"\x00" * (4 * 1024 * 1024), PhotoTooLarge),
    ],
)
def test_what_is_no_photo_or_too_large_is_refused(content, refusal):
    with pytest.raises(refusal):
        make_photo(content)


def test_words_are_kept_and_shown(visitor, cast):
    visitor.get(ME)
    visitor.post(ME, {"job_title": "Wellbeing practitioner", "about": "I like hills."})
    db.session.rollback()
    assert supporter_profile(cast.supporter.id).about == "I like hills."
    page = visitor.post(ME, {"job_title": "", "about": "x" * 601})
    assert page.status_code == 422
    assert "Enter your role" in page.text
    assert supporter_profile(cast.supporter.id).job_title == "Wellbeing practitioner"


def test_a_photo_is_seen_by_ones_own_patients_alone(visitor, cast, app):
    assert "Your photo is saved" in upload(visitor, photo_with_a_place()).text
    stored = kept(cast)
    assert stored.alt == "Pat in a garden"
    assert WITH_A_PLACE.encode() not in stored.image
    answer = visitor.http.get(f"{ME}/photo")
    assert (answer.mimetype, answer.headers["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
    assert answer.headers["Cache-Control"] == "no-store"
    patient = PageClient(app).sign_in(cast.patient)
    assert 'alt="Pat in a garden"' in patient.get("/supporter").text
    assert patient.http.get("/supporter/photo").data == stored.image
    for who in (cast.other_patient, cast.colleague, cast.clinician, cast.administrator):
        assert status_of(app, who, "/supporter/photo") == 404
    assert status_of(app, cast.colleague, f"{ME}/photo") == 404
    assert PageClient(app).http.get("/supporter/photo").status_code == 302
    visitor.get(ME)
    visitor.post(f"{ME}/photo/remove")
    assert kept(cast) is None
    assert patient.http.get("/supporter/photo").status_code == 404


@pytest.mark.parametrize(
    ("content", "name", "alt", "words"),
    [
        (b"A text", "me.jpg", "Pat", "This file could not be read as one"),
        (png_bomb(), "me.png", "Pat", "Select a smaller photo"),
        (photo(), "me.jpg", "  ", "Write what the photo shows"),
        (b"", "", "Pat", "Select a photo"),
    ],
)
def test_a_file_that_cannot_be_kept_is_said_at_its_field(visitor, cast, content, name, alt, words):
    response = upload(visitor, content, name, alt)
    assert response.status_code == 422
    assert words in response.text
    assert kept(cast) is None


def test_a_body_larger_than_a_photo_is_not_read(visitor, cast):
    assert upload(visitor, b"\x00" * (5 * 1024 * 1024)).status_code == 413
    assert kept(cast) is None


def test_only_supporters_have_this_page(app, cast):
    for who in (cast.patient, cast.clinician, cast.administrator):
        assert status_of(app, who, ME) == 404
        assert status_of(app, who, f"{ME}/photo/remove", {}) == 404

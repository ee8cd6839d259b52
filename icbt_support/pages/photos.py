"""How a photo is answered: as a picture and nothing else, never stored on the way."""

from flask import Response

from icbt_support.accounts.models import SupporterPhoto


def photo_response(photo: SupporterPhoto) -> Response:
    response = Response(photo.image, mimetype="image/jpeg")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Disposition"] = 'inline; filename="photo.jpg"'
    return response

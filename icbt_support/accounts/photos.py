"""A photo that a supporter uploads is made anew: small, upright, in one format, without whatever came with it."""

import warnings
from io import BytesIO

from PIL import Image, ImageOps

LARGEST_UPLOAD = 4 * 1024 * 1024
MOST_PIXELS = 25_000_000
SIDE = 320
FORMATS = ("JPEG", "PNG", "WEBP")


class NotAPhoto(Exception):
    """The file is not a picture that can be read."""


class PhotoTooLarge(Exception):
    """The file, or the picture in it, is larger than a photo from a phone."""


def make_photo(uploaded: bytes) -> bytes:
    """A square JPEG of 320 pixels from a JPEG, PNG or WebP; no place, no camera, no comment is left in it.

    The size in the header is checked before a pixel is unpacked, so that a small file cannot fill the memory.
    Raises `NotAPhoto` or `PhotoTooLarge`.
    """
    if len(uploaded) > LARGEST_UPLOAD:
        raise PhotoTooLarge
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(uploaded), formats=FORMATS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise PhotoTooLarge
                return _drawn_anew(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise PhotoTooLarge from error
    except PhotoTooLarge:
        raise
    except Exception as error:  # A damaged picture fails in as many ways as there are decoders.
        raise NotAPhoto from error


def _drawn_anew(picture: Image.Image) -> bytes:
    picture.draft("RGB", (SIDE * 2, SIDE * 2))
    upright = ImageOps.exif_transpose(picture).convert("RGBA")
    square = ImageOps.fit(upright, (SIDE, SIDE))
    plain = Image.new("RGB", (SIDE, SIDE), "white")
    plain.paste(square, mask=square.getchannel("A"))
    out = BytesIO()
    plain.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()

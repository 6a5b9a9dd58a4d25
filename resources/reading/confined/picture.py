"""Pictures: the same, small."""

from PIL import Image

from ..looked import MAX_PIXELS, SIDE
from .saying import Unreadable, say_picture
from .walls import as_a_file

FORMATS = ("PNG", "JPEG", "WEBP")


def warm_up() -> None:
    Image.init()


def look(content) -> None:
    try:
        with Image.open(as_a_file(), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise Unreadable("too much")
            picture.draft("RGB", (SIDE, SIDE))  # a JPEG is read no larger than it is needed
            say_picture(picture)
    except Image.DecompressionBombError as error:
        raise Unreadable("too much") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise Unreadable("damaged") from error

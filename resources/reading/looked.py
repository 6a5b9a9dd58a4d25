"""What is known of a file that was looked into, and the limits within which it was."""

from dataclasses import dataclass

MEGABYTE = 1024 * 1024
MAX_MEMORY = 512 * MEGABYTE  # of address space, beside the file itself
MAX_CPU = 15  # seconds
MAX_SECONDS = 25.0  # by the clock on the wall
MAX_SAID = 3 * MEGABYTE  # bytes that the process may say
MAX_TEXT = 100_000  # characters
MAX_HEAD = 20_000  # characters of the first two pages
MAX_PAGES = 3_000
# While somebody waits for an answer only pages are counted, with less of everything.
COUNT_MEMORY = 256 * MEGABYTE
COUNT_SECONDS = 5.0
PICTURE_SECONDS = 20.0  # ten photos take about four
COUNT_WAITS = 1.0  # for one that is counted at the moment
MAX_PART = 40 * MEGABYTE  # bytes that one part of an office file unpacks to
MAX_PIXELS = 40_000_000
SIDE = 640  # pixels of the picture of the first page, at most

# Why a file could not be read: what the process says, and what is kept. None of them is tried again.
REASONS = ("password", "damaged", "pages", "too much", "kind")


@dataclass(frozen=True)
class Looked:
    """reason: "" where the file was read, else one of REASONS, or "time" or "memory" where the process was ended, or
    "killed" where somebody else did that (only this is worth another try). What was found before that is there all the
    same. thumbnail: WebP, or empty. head: the words of the first two pages."""

    reason: str = ""
    title: str = ""
    doi: str = ""
    pages: int | None = None
    text: str = ""
    head: str = ""
    thumbnail: bytes = b""
    seconds: float = 0.0

"""What kinds of files there are, as people call them."""

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from ..models import ResourceFile

LINK = "link"
LABELS = {
    "pdf": _("PDF"),
    "text": _("Text document"),
    "slides": _("Slides"),
    "table": _("Table or data"),
    "image": _("Picture"),
    "audio": _("Audio"),
    "video": _("Video"),
    LINK: _("Link only"),
}
WORDS = {  # in a content type: the first that stands in it
    "pdf": ("/pdf",),
    "slides": ("presentation", "powerpoint"),
    "table": ("spreadsheet", "ms-excel", "/csv"),
    "image": ("image/",),
    "audio": ("audio/",),
    "video": ("video/",),
    "text": ("text/", "word", "opendocument.text"),
}


def format_of(content_type: str) -> str:
    """ "" for what has no name of its own."""
    return next((key for key, words in WORDS.items() if any(word in content_type for word in words)), "")


def in_format(chosen: list[str]) -> Q:
    """Records that have a file of one of these kinds, or for "link" no file at all. The same rule as `format_of`: a table
    as CSV is no text, though its content type says so."""
    files = ResourceFile.objects.open_to_readers().filter(resource=OuterRef("pk"))
    wanted, before = Q(), Q()
    for key, words in WORDS.items():
        its = Q()
        for word in words:
            its |= Q(content_type__contains=word)
        if key in chosen:
            wanted |= its & ~before if before else its
        before |= its
    rule = Q(Exists(files.filter(wanted))) if wanted else Q()
    if LINK in chosen:
        link = ~Q(Exists(files))
        rule = rule | link if wanted else link
    return rule

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
    """Records that have a file of one of these kinds, or for "link" no file at all."""
    files = ResourceFile.objects.open_to_readers().filter(resource=OuterRef("pk"))
    wanted = Q()
    for key in chosen:
        for word in WORDS.get(key, ()):
            wanted |= Q(content_type__contains=word)
    rule = Q(Exists(files.filter(wanted))) if wanted else Q()
    if LINK in chosen:
        link = ~Q(Exists(files))
        rule = rule | link if wanted else link
    return rule

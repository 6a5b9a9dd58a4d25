"""What the templates of the library say in words: `{% load library %}`."""

from django import template
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import LANGUAGE_NAMES, ResourceFile

register = template.Library()

KINDS = {
    "pdf": "PDF",
    "docx": "Word",
    "pptx": "PowerPoint",
    "xlsx": "Excel",
    "odt": "OpenDocument (.odt)",
    "odp": "OpenDocument (.odp)",
    "ods": "OpenDocument (.ods)",
    "csv": "CSV",
    "png": "PNG",
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "webp": "WebP",
    "mp3": "MP3",
    "mp4": "MP4",
}


@register.filter
def minutes_in_words(minutes: int | None) -> str:
    """“40 minutes”, “an hour”, “3 hours”, “a day”."""
    if not minutes:
        return ""
    if minutes < 55:
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    if minutes <= 75:
        return _("an hour")
    hours = round(minutes / 60)
    if hours <= 6:
        return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    days = max(1, round(hours / 8))
    return _("a day") if days == 1 else ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


@register.filter
def time_it_takes(minutes: int | None) -> str:
    """“takes 40 minutes”; nothing where nobody has said it."""
    return _("takes %(time)s") % {"time": minutes_in_words(minutes)} if minutes else ""


@register.filter
def file_facts(file: ResourceFile) -> str:
    """“PDF, 4 pages, 310 KB, English”."""
    extension = file.name.rpartition(".")[2].lower()
    parts = [str(KINDS.get(extension, _("text") if extension in ("txt", "md", "vtt") else extension.upper()))]
    if file.pages:
        parts.append(ngettext("%(count)d page", "%(count)d pages", file.pages) % {"count": file.pages})
    parts.append(filesizeformat(file.size))
    if file.language:
        parts.append(str(LANGUAGE_NAMES.get(file.language, file.language)))
    if file.label:
        parts.append(file.name)
    return ", ".join(parts)

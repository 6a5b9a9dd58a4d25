"""The library of the demo: sixty records of the field, and the recording of the open hour."""

from datetime import datetime, timedelta

from django.core.files.base import ContentFile
from django.utils import timezone

from kmnet.core.vocabulary import find_term
from members.models import Member
from resources import services
from resources.models import Resource
from resources.services.reviewing import release_resource

from .clock import at
from .data import FOLDER, read


def load_shelf(*, people: dict[str, Member], now: datetime) -> None:
    """Sixty records, brought by a librarian in the first weeks."""
    with at(now - timedelta(days=40)):
        services.import_bibtex((FOLDER / "library.bib").read_bytes(), actor=people["Anneke Visser"])
    with at(now - timedelta(days=40) + timedelta(hours=1)):  # a newcomer's first ones are looked at
        for resource in Resource.objects.filter(state=Resource.State.HELD).order_by("pk"):
            release_resource(target=resource, actor=people["Maren de Wit"])


def add_recording(*, people: dict[str, Member], now: datetime) -> Resource:
    """What was said in the open hour, as a text that can be read and searched."""
    story = read("recording.yaml")
    actor = people["Rosalind Achebe"]
    with at(now - timedelta(days=26)):
        file = services.keep_upload(actor=actor, upload=_upload(story["transcript"]))
        return services.add_resource(
            actor=actor,
            details=services.Details(
                csl={
                    "type": "motion_picture",
                    "title": story["title"],
                    "author": [{"given": "Rosalind", "family": "Achebe"}],
                    "issued": {"date-parts": [[timezone.now().year]]},
                },
                description=story["description"],
                licence=story["licence"],
                terms=list(filter(None, (find_term(word) for word in story["terms"]))),
                tags=story["tags"],
            ),
            files=[file],
        )


def _upload(text: str) -> ContentFile:
    return ContentFile(text.encode(), name="open-hour-transcript.vtt")

"""Threads about a thing of another app: what a form begins with, and how they are found from its page."""

import re

from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from kmnet.core import about

from .models import Thread
from .related import FIELDS


def find(items: QuerySet, viewer, limit: int) -> list[about.Talk]:
    """One query."""
    items = items.filter(source_type=ContentType.objects.get_for_model(Thread))
    threads = Thread.objects.visible_to(viewer).shown().filter(pk__in=items.values("source_id"))
    threads = threads.select_related("space").only(*FIELDS, "last_post_at")
    unwanted = getattr(viewer, "unwanted", ())
    if unwanted:
        threads = threads.exclude(author__in=unwanted)
    rows = threads.order_by("-last_post_at", "-pk")[:limit]
    return [
        about.Talk(thread.get_absolute_url(), thread.title, thread.reply_count, thread.last_post_at)
        for thread in rows
    ]


def begun_about(stated: str, viewer) -> dict:
    """What the form for a new thread begins with, where the address names a thing; {} where it names none."""
    found = about.find(stated, viewer)
    if found is None:
        return {}
    subject, thing = found
    title = re.sub(r"([\\\[\]])", r"\\\1", subject.title(thing))
    return {"about": stated, "body": f"[{title}]({subject.url(thing)})\n\n"}


def thing_of(stated: str, viewer):
    """What a thread that is sent is about, if anything that its author may see."""
    found = about.find(stated, viewer)
    return found[1] if found else None

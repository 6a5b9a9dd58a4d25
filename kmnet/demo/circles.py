"""The groups of the demo: who belongs together, what they say to each other, when they meet, what they keep."""

from datetime import datetime, timedelta

from django.core.files.base import ContentFile

from discussions.services import open_group_space
from events import services as gathering
from events.models import Visibility
from members.models import Group, Member
from members.services import groups
from resources import services as shelf

from .clock import at
from .conversations import play
from .data import read
from .gatherings import MEETING, instant


def load_circles(*, people: dict[str, Member], now: datetime) -> None:
    """Each group as it grew: made, filled over its first days, then talking and meeting."""
    entries = read("groups.yaml")
    spaces = {}
    for entry in entries:
        group = _gather(entry, people, now)
        if entry.get("threads"):
            with at(now - timedelta(days=entry["ago"] - 2)):
                spaces[entry["name"]] = open_group_space(actor=people[entry["convenor"]], group=group)
        for meeting in entry.get("meetings", ()):
            _meet(meeting, group, entry, people, now)
        if entry.get("resource"):
            _keep(entry["resource"], group, people, now)
    threads = [
        {**thread, "space": space}
        for entry in entries
        if (space := entry["name"]) in spaces
        for thread in entry["threads"]
    ]
    play(threads, people=people, spaces=spaces, now=now)


def _gather(entry: dict, people: dict[str, Member], now: datetime) -> Group:
    convenor, made = people[entry["convenor"]], now - timedelta(days=entry["ago"])
    with at(made):
        group = groups.make_group(
            actor=convenor,
            name=entry["name"],
            purpose=entry["purpose"],
            ways=entry.get("ways", ""),
            joining=entry["joining"],
            is_listed=not entry.get("private", False),
        )
    for number, name in enumerate(entry["people"]):
        with at(made + timedelta(hours=7 * (number + 1))):
            groups.invite_member(actor=convenor, group=group, member=people[name])
            groups.join_group(member=people[name], group=group)
    for name in entry.get("asked", ()):
        with at(now - timedelta(days=1)):
            groups.join_group(member=people[name], group=group)
    for name in entry.get("invited", ()):
        with at(now - timedelta(days=2)):
            groups.invite_member(actor=convenor, group=group, member=people[name])
    return group


def _meet(meeting: dict, group: Group, entry: dict, people: dict[str, Member], now: datetime) -> None:
    starts_at, host = instant(meeting, now), people[entry["convenor"]]
    with at(min(starts_at, now) - timedelta(days=10)):
        event = gathering.create_event(
            actor=host,
            title=meeting["title"],
            summary=meeting.get("summary", ""),
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=meeting["minutes"]),
            time_zone=meeting["zone"],
            meeting_url=MEETING,
            visibility=Visibility.GROUP,
            group=group,
        )
        gathering.publish_event(event=event, actor=host)
    with at(min(starts_at, now) - timedelta(days=9)):
        for name in (entry["convenor"], *entry["people"]):
            gathering.register_member(event=event, member=people[name])


def _keep(entry: dict, group: Group, people: dict[str, Member], now: datetime) -> None:
    actor = people[entry["by"]]
    given, _space, family = actor.name.partition(" ")
    with at(now - timedelta(days=entry["ago"])):
        file = shelf.keep_upload(actor=actor, upload=ContentFile(entry["text"].encode(), name=entry["name"]))
        author = {"given": given, "family": family}
        details = shelf.Details(
            csl={"type": "document", "title": entry["title"], "author": [author]},
            description=entry["description"],
            visibility="group",
            group=group,
        )
        shelf.add_resource(actor=actor, details=details, files=[file])

"""The members of the demo: forty who tell much about themselves, the others little, five with a password."""

from datetime import datetime, time, timedelta
from itertools import count

from kmnet.core.vocabulary import find_term
from members import services
from members.models import Member, SeenBy

from . import pictures
from .clock import at
from .data import read

PASSWORD = "between-worlds"
DOMAIN = "demo.kmnet.example"


def load_people(*, now: datetime) -> dict[str, Member]:
    """Make them all; returns them by name. They joined over the last two months, the newcomer an hour ago."""
    data = read("people.yaml")
    accounts = {entry["name"]: (key, entry) for key, entry in data["accounts"].items()}
    people: dict[str, Member] = {}
    number = count()
    for person in data["rich"]:
        key, account = accounts.get(person["name"], ("", {}))
        new = account.get("new", False)
        joined = now - (timedelta(hours=1) if new else timedelta(days=60 - next(number) * 0.5, hours=3))
        with at(joined):
            member = _join(person["name"], person["zone"], key, account.get("flags", {}))
            if not new:
                _tell(member, person)
                _tell_more(member, person.get("more", {}), now)
        people[member.name] = member
    for group in data["thin"]:
        for first, last in zip(group["first"], group["last"], strict=True):
            with at(now - timedelta(days=40 - next(number) * 0.18)):
                member = _join(f"{first} {last}", group["zone"])
                services.update_profile(member=member, country=group["country"])
                services.finish_welcome(member=member)
            people[member.name] = member
    return people


def _join(name: str, zone: str, key: str = "", flags: dict | None = None) -> Member:
    handle = services.make_handle(name)
    member = services.create_member(
        email=f"{key or handle}@{DOMAIN}",
        name=name,
        handle=handle,
        password=PASSWORD if key else None,
        time_zone=zone,
        address_proven=True,
        **(flags or {}),
    )
    services.record_agreement(member=member)
    return member


def _terms(words, facet: str | None = None) -> list:
    return list(filter(None, (find_term(word, facet) for word in words)))


def _tell(member: Member, person: dict) -> None:
    """What the welcome pages ask, answered."""
    services.update_profile(
        member=member,
        headline=person["line"],
        roles=_terms(person["roles"], "role"),
        job_title=person["title"],
        organisation=person["organisation"],
        work_settings=_terms(person["setting"], "setting"),
        team_size=person["team"],
        years=person["years"],
        country=person["country"],
        region=person["region"],
        languages_work=person["languages"],
        can_help=person["help"]["tags"],
        can_help_text=person["help"]["say"],
        looking_for=person["seek"]["tags"],
        looking_for_text=person["seek"]["say"],
        interests=_terms(person["interests"]),
    )
    services.finish_welcome(member=member)


def _tell_more(member: Member, more: dict, now: datetime) -> None:
    """What only the settings ask: hours, availability, frameworks, a picture."""
    level = SeenBy[more.get("clock", "me").upper()]
    paused = now.date() + timedelta(days=more["paused"]) if "paused" in more else None
    services.update_profile(
        member=member,
        languages_follow=more.get("follow", []),
        frameworks=_terms(more.get("frameworks", []), "framework"),
        availability=more.get("free", []),
        paused_until=paused,
        hours=[
            {"weekdays": days, "starts": time.fromisoformat(starts), "ends": time.fromisoformat(ends)}
            for days, starts, ends in more.get("hours", [])
        ],
        clock_seen_by=level,
        hours_seen_by=level,
    )
    if "picture" in more:
        services.set_avatar(member=member, upload=pictures.draw(more["picture"], seed=member.tint))

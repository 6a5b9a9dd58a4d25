"""What happens to the events of the demo besides people registering."""

import uuid
from datetime import datetime, timedelta

from events import services
from events.models import Event, Status
from members.models import Member

from .clock import at


def invite(event: Event, story: dict, host: Member, crowd: list[Member]) -> list[Member]:
    """`invited`: so many are asked by name, the demo's accounts among them. Returns who may come."""
    if not story.get("invited"):
        return crowd
    asked = sorted(crowd, key=lambda member: not member.has_usable_password())[: story["invited"]]
    services.invite_people(event=event, by=host, members=asked)
    return asked


def ask_who_comes(event: Event, story: dict, now: datetime) -> None:
    """`asked`: three days before the start all are asked; some say yes, some no, and the rest nothing yet."""
    asked = story.get("asked")
    moment = event.starts_at - timedelta(hours=72) + timedelta(minutes=1)
    if not asked or moment >= now:
        return
    with at(moment):
        services.ask_reconfirmations(moment)
    told = event.registrations.filter(status=Status.CONFIRMED, asked_at__isnull=False).select_related(
        "member"
    )
    told = list(told.order_by("pk"))
    step = (now - moment) / (len(told) + 1)
    for number, registration in enumerate(told[: asked["coming"] + asked["left"]], start=1):
        with at(moment + step * number):
            if number <= asked["coming"]:
                services.confirm_coming(registration=registration, actor=registration.member)
            else:
                services.cancel_registration(registration=registration, actor=registration.member)


def write_letter(event: Event, story: dict, host: Member, now: datetime) -> None:
    """`letter`: what the organisers wrote two days ago, to whom."""
    letter = story.get("letter")
    if letter:
        with at(now - timedelta(days=2)):
            services.write_to_people(
                event=event,
                actor=host,
                audience=letter["to"],
                subject=letter["subject"],
                body=letter["body"],
                submit_key=uuid.uuid4(),
            )


def postpone(event: Event, story: dict, host: Member, now: datetime) -> None:
    """`is_postponed`: yesterday it lost its day."""
    if story.get("is_postponed"):
        with at(now - timedelta(days=1)):
            services.postpone_event(event=event, actor=host)

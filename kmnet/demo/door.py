"""At the door of the demo: two who ask to be let in, newcomers whom a host has greeted and some whom nobody has yet."""

from datetime import datetime, timedelta
from itertools import cycle

from allauth.account.models import EmailAddress

from kmnet.core.models import CommunitySettings
from members import services
from members.models import Member, Status

from .clock import at
from .data import read
from .people import DOMAIN

UNGREETED = 6  # the newest still wait for a hello


def joined(member: Member) -> datetime:
    return member.joined_at


def load_door(*, people: dict[str, Member], now: datetime) -> None:
    hosts = [member for member in people.values() if member.is_host]
    community = CommunitySettings.objects.get()
    if community.welcome_host_id is None:
        community.welcome_host = people["Rosalind Achebe"]
        community.save()
    newest_last = sorted((member for member in people.values() if not member.is_host), key=joined)
    for newcomer, host in zip(newest_last[:-UNGREETED], cycle(hosts), strict=False):
        with at(newcomer.joined_at + timedelta(hours=20)):
            services.greet_newcomer(newcomer=newcomer, host=host)
    for person in read("door.yaml"):
        with at(now - timedelta(days=person["days"])):
            _ask(person)


def _ask(person: dict) -> None:
    """As if the community had asked for approval when they came; the queue can be seen although the door is open."""
    handle = services.make_handle(person["name"])
    member = services.create_member(
        email=f"{handle}@{DOMAIN}",
        name=person["name"],
        handle=handle,
        time_zone=person["zone"],
        status=Status.PENDING,
    )
    services.record_agreement(member=member)
    EmailAddress.objects.filter(user=member).update(verified=True)
    services.prove_address(member=member)
    community = CommunitySettings.load()
    questions = (community.join_question_1, community.join_question_2)
    services.answer_questions(member=member, answers=list(zip(questions, person["answers"], strict=True)))

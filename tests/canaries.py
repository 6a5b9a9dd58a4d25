"""A member with a canary in every column that can hold something of a person, wherever it stands.

"zqp..." are about the person: none may outlive the account. "zqw..." are their words: they stay, or go, as they choose.
"zqo..." are somebody else's: they stay in any case, and are in nobody's copy but their own.
"""

import io
import secrets
from datetime import time, timedelta
from itertools import count

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from discussions import services as discussions
from events import services as events
from events.models import Event, Registration, RegistrationLog, Speaker
from events.models import Status as Place
from kmnet.core import activity, audit, mail, moderation
from kmnet.core.known_address import hash_of_address
from kmnet.core.models import DevMail, Flag, MailChoice
from members import services
from members.models import (
    Boundary,
    BringIn,
    Group,
    GroupMember,
    Introduction,
    Invitation,
    JoinRequest,
    MeetingWindow,
    Member,
    OldHandle,
    Standing,
)
from resources import services as resources
from tests.factories import make_member
from tests.factories.discussions import make_message, make_post, make_space, make_thread
from tests.factories.events import make_event
from tests.factories.members import PASSWORD
from tests.factories.resources import make_file, make_resource, make_upload

numbers = count(1_000 + secrets.randbelow(1_000_000))  # Redis outlives a test run
PERSON, WORDS, OTHERS = "zqp", "zqw", "zqo"
TEXT_COLUMNS = (
    *("headline", "pronouns", "job_title", "organisation", "region", "can_help_text", "looking_for_text"),
    "about",
)


class Canaries:
    """`all` holds what was planted, `told` what a copy must hold of it."""

    def __init__(self):
        self.all: list[str] = []
        self.told: list[str] = []

    def person(self, what: str, *, told: bool = True) -> str:
        return self._made(PERSON, what, told)

    def words(self, what: str) -> str:
        return self._made(WORDS, what, True)

    def _made(self, kind: str, what: str, told: bool) -> str:
        made = f"{kind}{next(numbers)}{what}"
        self.all.append(made)
        if told:
            self.told.append(made)
        return made


def picture() -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (400, 400), "teal").save(out, format="PNG")
    return SimpleUploadedFile("face.png", out.getvalue())


def plant(*, moderator: Member) -> tuple[Member, Canaries]:
    """A member of long standing, as full of canaries as the tables let them be."""
    canaries = Canaries()
    person = canaries.person
    name = f"{person('given')} {person('family')}"
    address, second = f"{person('mail')}@example.org", f"{person('second')}@example.org"
    member = make_member(name=name, email=address, handle=person("handle"), is_organiser=True, is_host=True)
    OldHandle.objects.create(member=member, handle=person("oldhandle"))
    EmailAddress.objects.create(user=member, email=second, verified=True)
    plant_profile(member, canaries)
    plant_account(member, canaries)
    plant_ties(member, moderator, canaries)
    plant_discussions(member, moderator, canaries)
    plant_events(member, moderator, canaries, address=address, second=second)
    plant_library(member, canaries)
    plant_floor(member, moderator, canaries, name=name, address=address, second=second)
    plant_session(member, words=person("typed", told=False))
    return Member.objects.get(pk=member.pk), canaries


def plant_profile(member: Member, canaries: Canaries) -> None:
    person = canaries.person
    services.update_profile(
        member=member,
        **{column: person(column.replace("_", "")) for column in TEXT_COLUMNS},
        links=[f"https://{person('link')}.example.org/"],
        can_help=[person("helptag")],
        looking_for=[person("wishtag")],
        country="NP",
    )
    profile = member.profile
    profile.hidden_reason, profile.hidden_by = f"{member.name} asked for it", None
    profile.orcid = f"0000-{next(numbers):014}"
    profile.save()
    MeetingWindow.objects.create(profile=profile, weekdays=[1], starts=time(9), ends=time(10))
    services.set_avatar(member=member, upload=picture())


def plant_account(member: Member, canaries: Canaries) -> None:
    person = canaries.person
    Authenticator.objects.create(
        user=member, type=Authenticator.Type.TOTP, data={"secret": person("secret", told=False)}
    )
    SocialAccount.objects.create(
        user=member, provider="orcid", uid=person("uid"), extra_data={"name": person("there")}
    )
    JoinRequest.objects.create(
        member=member,
        answers=[["Why?", person("answer")]],
        state="approved",
        decided_at=timezone.now(),
        reason=f"{member.name} is one of us",
    )
    Invitation.objects.create(
        address=member.email,
        address_hash=hash_of_address(member.email),
        name=person("invited", told=False),
        token_hash=secrets.token_hex(32),
        expires_at=timezone.now() + timedelta(days=9),
    )
    BringIn.objects.create(
        name="a list", basis="asked", promise="a promise", promise_version=1, confirmed_by=member, rows=1
    )


def plant_ties(member: Member, moderator: Member, canaries: Canaries) -> None:
    group = Group.objects.create(slug=f"group-{member.pk}", name="A group")
    GroupMember.objects.create(group=group, member=moderator, standing=Standing.CONVENOR)
    GroupMember.objects.create(group=group, member=member, invited_by=moderator)
    GroupMember.objects.create(group=group, member=make_member(), invited_by=member)
    Boundary.objects.create(owner=member, other=make_member(), distance="ignore")
    Boundary.objects.create(owner=make_member(), other=member, distance="block")
    one, other = sorted((make_member(), make_member()), key=lambda someone: someone.pk)
    Introduction.objects.create(
        proposer=member,
        first=one,
        second=other,
        reason=canaries.person("introduction"),
        expires_at=timezone.now() + timedelta(days=14),
    )


def plant_discussions(member: Member, moderator: Member, canaries: Canaries) -> None:
    """Alone in a thread; in one of their own that others answered; at the end and in the middle of somebody's."""
    words = canaries.words
    space = make_space()
    alone = make_thread(author=member, space=space, title=words("alonetitle"), source=words("alone"))
    answered = make_thread(
        author=member, space=space, title=words("asktitle"), source=words("ask"), tags=[words("asktag")]
    )
    reply = make_post(thread=answered, source=f"{OTHERS}reply")
    discussions.accept_answer(actor=member, post=reply)
    theirs = make_thread(space=space, title=f"{OTHERS}title", source=f"{OTHERS}question")
    middle = make_post(thread=theirs, author=member, source=words("middle"))
    make_post(thread=theirs, parent=middle, source=f"{OTHERS}under")
    end = make_post(thread=theirs, author=member, source=words("end"))
    make_post(thread=theirs, author=member, parent=end, source=words("endofend"))
    old = canaries.person("earlier")  # what they took back themselves
    edited = make_post(thread=theirs, author=member, source=old)
    discussions.edit_post(editor=member, post=edited, source=words("later"))
    discussions.set_watch(member=member, thread=theirs, level="watching")
    discussions.mark_all_read(member=member)
    held = make_post(thread=theirs, author=member, source=words("held"), hold=True)
    assert held.number is None
    friend = make_member()
    letter = make_message(friend, member, source=f"{OTHERS}letter")
    make_message(member, thread=letter.thread, source=words("letter"))
    make_message(friend, thread=letter.thread, source=f"{OTHERS}answer")
    bad = make_post(thread=theirs, author=member, source=words("bad"))
    discussions.hide_post(post=bad, actor=moderator, reason=f"{member.name} knows why")
    discussions.close_thread(thread=alone, actor=moderator, reason=f"{member.handle} asked for it")


def plant_events(member: Member, moderator: Member, canaries: Canaries, *, address: str, second: str) -> None:
    person = canaries.person
    events.register_member(event=make_event(capacity=3), member=member)
    past = make_event()
    place = events.register_member(event=past, member=member)
    RegistrationLog.objects.filter(registration=place).update(why=f"{member.name} wanted it")
    RegistrationLog.objects.create(registration=place, actor=member, to_status="confirmed", why="came")
    guest_at = make_event()
    Registration.objects.create(
        event=guest_at,
        guest_address=second.upper(),
        guest_name=person("guest"),
        guest_time_zone="Asia/Kathmandu",
        status=Place.CONFIRMED,
        confirmed_at=timezone.now(),
    )
    Registration.objects.create(
        event=make_event(), guest_address=address, guest_name=person("unproven"), status=Place.UNPROVEN
    )
    coming = make_event(organisers=[member, moderator])
    speaker = Speaker.objects.create(name=person("speaker"), about=person("speaks"), member=member)
    Event.objects.get(pk=coming.pk).sessions.create(title="A session").speakers.add(speaker)
    make_event(
        organisers=[member],
        title="A past event",
        summary=canaries.words("summary"),
        description=canaries.words("description"),
        access_notes=canaries.words("access"),
        cancelled_at=timezone.now(),
        cancel_reason=f"{member.name} is ill",
    )
    make_event(organisers=[member], published=False, title="A draft", description=canaries.words("draft"))
    Event.objects.filter(pk__in=[past.pk, guest_at.pk]).update(
        starts_at=timezone.now() - timedelta(hours=3), ends_at=timezone.now() - timedelta(hours=2)
    )


def plant_library(member: Member, canaries: Canaries) -> None:
    words = canaries.words
    mine = make_resource(
        added_by=member, title=words("resource"), description=words("resourcetext"), tags=[words("restag")]
    )
    make_file(resource=mine, name=f"{words('file')}.pdf")
    resources.keep_upload(actor=member, upload=make_upload(f"{canaries.person('waitingfile')}.pdf"))
    make_resource(title=f"{OTHERS}resource", added_by=make_member())


def plant_floor(
    member: Member, moderator: Member, canaries: Canaries, *, name: str, address: str, second: str
) -> None:
    person = canaries.person
    post = make_post()
    flag = moderation.report(reporter=member, target=post, reason="other", note=person("reported"))
    Flag.objects.filter(pk=flag.pk).update(resolution=f"{name} was right", resolved_by=moderator)
    moderation.report(reporter=make_member(), target=member.profile, reason="other", note=f"look at {name}")
    audit.record_act(
        actor=moderator, verb="members.silenced", target=member, reason=f"{name}, {address}: enough"
    )
    audit.record_act(actor=member, verb="members.approved", target=moderator, reason="fine")
    LogEntry.objects.create(
        user=moderator,
        content_type=ContentType.objects.get_for_model(Member),
        object_id=member.pk,
        object_repr=str(member),
        action_flag=CHANGE,
        change_message=f"Changed {address}",
    )
    MailChoice.objects.create(member=member, category="digest", how="never")
    MailChoice.objects.create(address=second, category="reply", how="never")
    mail.queue("members.welcome", member=member, dedupe_key=f"welcome:{member.pk}")
    mail.queue(
        "members.welcome",
        address=second,
        dedupe_key=f"second:{member.pk}",
        refs={"member": member.pk},
        secrets={"code": "1234"},
    )
    DevMail.objects.create(recipient=address, subject=name, raw=f"To: {address}\n\nHello {name}".encode())
    DevMail.objects.create(
        recipient="host@example.org", subject="new", raw=f"Subject: new\n\n{name} has joined".encode()
    )
    deed = activity.record("discussions.replied", actor=member, target=post)
    activity.fan_out(activity_id=deed.pk)


def plant_session(member: Member, *, words: str) -> None:
    client = Client()
    client.login(username=member.email, password=PASSWORD)
    client.get("/settings/")
    session = client.session
    session["kept_text"] = {"/somewhere/": {"source": [words]}}
    session.save()

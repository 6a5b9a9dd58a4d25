"""One scene for every kind of mail: the same people, the same Monday morning, and what leads to such a mail.

`scene(kind)` gives the row of the outbox; what is different at each run (numbers of rows, signed tokens) is replaced by
`steady`, so that the words and the look can be compared with those that were looked at (tests/golden/).
"""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

from allauth.account.models import EmailAddress

from discussions import services as discussions
from discussions.models import AskedToAnswer, Post, QuietThanks, Space
from events import mails as event_mails
from events import services as events
from events.models import Registration
from events.models import Status as Place
from events.models.event import Visibility
from kmnet.core import activity, free_tags, mail, moderation
from kmnet.core.known_address import hash_of_address
from kmnet.core.models import Activity, CommunitySettings, OutgoingMail, ReceivedMail
from kmnet.core.models.mail import BUNDLE, SuppressedAddress
from kmnet.hub.models import DigestRun
from kmnet.hub.moderation import tell_author
from members import account_mails
from members.models import (
    BringIn,
    DataExport,
    Dormancy,
    Group,
    Introduction,
    Invitation,
    JoinRequest,
    Leaving,
    Status,
)
from members.services import answer_introduction, groups, hide_profile, invitations, propose_introduction
from resources import services as library
from resources.models import LinkCheck, Resource, SavedSearch
from resources.services import handing_on
from tests.factories import make_member
from tests.factories.discussions import make_message, make_post, make_thread
from tests.factories.events import make_event, make_registration
from tests.factories.groups import make_group, put_in
from tests.factories.resources import make_resource

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
TOKEN = "x7k2m9p4q8r3"
SUMMARY = "Who has a good one-page summary?"
QUESTION = "How do you report “relationships built” to a board that wants numbers?"
ASKED = (
    "Our board likes counts. Half of what we do is **introducing people**. What do you put into the report?"
)
ANSWER = (
    "We stopped counting relationships and started counting **what travelled along them**. Once a month I write one "
    "line per event in a ledger:\n\n- who came to whom, with what question\n- what changed afterwards, in their words\n\n"
    "After a year we had 46 lines. The board got one table, and two lines read aloud."
)
SCENES: dict[str, Callable] = {}


def scene(*kinds):
    """The function makes the mail of these kinds; it gets the cast, and the kind where there are several."""

    def known(function):
        for kind in kinds:
            SCENES[kind] = (lambda cast, kind=kind: function(cast, kind)) if len(kinds) > 1 else function
        return function

    return known


def play(kind: str) -> OutgoingMail:
    """The row of the outbox that the scene of this kind ends with."""
    SCENES[kind](cast())
    return OutgoingMail.objects.select_related("member").filter(kind=kind).earliest("pk")


def cast() -> SimpleNamespace:
    """Rosalind in Norwich gets the mails; the others do what leads to them."""
    community = CommunitySettings.load()
    community.contact_email = "hello@kmnet.example"
    community.postal_address = "kmnet, 4 Thread Street, Norwich NR2 1AB, United Kingdom"
    community.save()
    people = {
        "rosalind": ("Rosalind Achebe", "Europe/London", {}),
        "maren": ("Maren de Wit", "Europe/Amsterdam", {}),
        "noor": ("Noor Haddad", "Asia/Amman", {}),
        "priya": (
            "Priya Raman",
            "Asia/Kolkata",
            {"is_organiser": True, "is_host": True, "is_moderator": True},
        ),
    }
    return SimpleNamespace(
        **{
            handle: make_member(
                name=name,
                handle=handle,
                email=f"{handle}@example.org",
                time_zone=zone,
                last_seen_on=MONDAY.date(),
                **fields,
            )
            for handle, (name, zone, fields) in people.items()
        }
    )


def tell() -> None:
    for deed in Activity.objects.waiting().order_by("pk"):
        activity.fan_out(activity_id=deed.pk)


def queue(kind, person, **refs) -> None:
    receiver = {"address": person} if isinstance(person, str) else {"member": person}
    mail.queue(kind, **receiver, dedupe_key=kind, refs=refs)


# --- the account -----------------------------------------------------------------------------------------------------
def account(given, kind):
    made = next(one for one in account_mails.ACCOUNT_MAILS if one.key == kind)
    unknown = "unknown" in kind
    EmailAddress.objects.filter(user=given.rosalind).update(verified="confirmation" not in kind)
    account_mails.queue_account_mail(
        made.prefix,
        "nobody@example.org" if unknown else given.rosalind.email,
        {
            "user": None if unknown else given.rosalind,
            "code": "K7RM-2QXD",
            "activate_url": "https://x.example/accounts/confirm-email/MTI:1vXyZ:abcdefghijklmnop/"
            if "confirmation" in kind
            else "",
            "password_reset_url": "https://x.example/accounts/password/reset/key/9-cx1a2b/",
            "signup_url": "https://x.example/join/",
            "from_email": "r.achebe@old.example",
            "to_email": "rosalind@example.org",
            "deleted_email": "r.achebe@old.example",
            "provider": SimpleNamespace(app=SimpleNamespace(name="ORCID")),
        },
    )


scene(*(made.key for made in account_mails.ACCOUNT_MAILS))(account)


# --- discussions -----------------------------------------------------------------------------------------------------
def question(given, **fields):
    fields = {"author": given.rosalind, "title": QUESTION, "source": ASKED, "tags": ["boards"]} | fields
    return make_thread(space=Space.objects.get(slug="methods-and-tools"), **fields)


@scene("discussions.reply")
def reply(given):
    make_post(thread=question(given), author=given.maren, source=ANSWER)
    tell()


@scene("discussions.mentioned")
def mentioned(given):
    thread = question(given, author=given.noor)
    make_post(
        thread=thread, author=given.maren, source="@rosalind has a ledger for this; may we see a page of it?"
    )
    tell()


@scene("discussions.watched")
def watched(given):
    thread = question(given, author=given.noor)
    discussions.set_watch(member=given.rosalind, thread=thread, level="watching")
    make_post(thread=thread, author=given.maren, source=ANSWER)
    tell()


@scene("discussions.post", "discussions.started")
def followed_space(given, kind):
    thread = question(given, author=given.noor)
    if kind == "discussions.post":
        tell()
    discussions.set_space_level(member=given.rosalind, space=thread.space, level="watching")
    if kind == "discussions.post":
        make_post(thread=thread, author=given.maren, source=ANSWER)
    tell()


@scene("discussions.accepted")
def accepted(given):
    thread = question(given, author=given.noor)
    discussions.accept_answer(
        actor=given.noor, post=make_post(thread=thread, author=given.rosalind, source=ANSWER)
    )
    tell()


@scene("discussions.message")
def message(given):
    make_message(
        given.maren, given.rosalind, source="May I call you on Thursday? It is about the *boards* question."
    )
    tell()


@scene("discussions.could_answer", "discussions.owed")
def asked_to_answer(given, kind):
    thread = question(given, author=given.noor)
    to_host = kind == "discussions.owed"
    person = given.priya if to_host else given.rosalind
    AskedToAnswer.objects.create(
        thread=thread, member=person, why="" if to_host else "boards, showing impact"
    )
    activity.record(kind, actor=None, target=thread, data={"members": [person.pk]})
    tell()


@scene("discussions.held_long")
def held_long(given):
    post = make_post(thread=question(given), author=given.noor, source="My first words here.", hold=True)
    Post.objects.filter(pk=post.pk).update(created_at=MONDAY - timedelta(hours=26))
    discussions.tell_of_long_held()
    tell()


@scene("discussions.kept")
def kept(given):
    post = make_post(thread=question(given, author=given.noor), author=given.maren, source=ANSWER)
    bookmark = discussions.keep_post(
        member=given.rosalind,
        post=post,
        remind_at=MONDAY + timedelta(minutes=1),
        note="For the report to the board",
    )
    queue("discussions.kept", given.rosalind, bookmark=bookmark.pk)


@scene("resources.new_found")
def new_found(given):
    search = library.save_search(
        member=given.rosalind, query="q=summaries", name="summaries for carers", tells=True
    )
    guide = {"title": "Plain-language summaries in an afternoon", "creators": ["Priya Raghunathan"]}
    said = "Six steps, a word list, and the three sentences you will want to keep and should not."
    make_resource(**guide, year=2024, description=said, added_by=given.maren)
    make_resource(title="What readers make of summaries", creators=["Noor Haddad"], year=2026)
    SavedSearch.objects.update(seen_until=MONDAY - timedelta(days=1), due_at=MONDAY)
    library.tell_what_is_new(now=MONDAY + timedelta(minutes=6))
    assert SavedSearch.objects.get(pk=search.pk).seen_until > MONDAY


@scene("discussions.helped")
def helped(given):
    post = make_post(thread=question(given, author=given.noor), author=given.rosalind, source=ANSWER)
    for person in (given.maren, given.noor):
        discussions.set_quiet_thanks(member=person, post=post, on=True)
    QuietThanks.objects.update(at=datetime(2026, 10, 20, 12, tzinfo=UTC))
    discussions.tell_of_thanks(now=datetime(2026, 11, 2, 10, tzinfo=UTC))
    tell()


@scene(BUNDLE)
def bundle(given):
    thread = question(given, author=given.noor)
    other = make_thread(
        space=thread.space,
        author=given.priya,
        title=SUMMARY,
        source="I look for one.",
    )
    discussions.set_watch(member=given.rosalind, thread=thread, level="watching")
    discussions.set_space_level(member=given.rosalind, space=thread.space, level="watching")
    tell()
    make_post(thread=thread, author=given.maren, source=ANSWER)
    make_post(thread=other, author=given.maren, source="Ours is in the library: one page, five boxes.")
    make_post(thread=other, author=given.noor, source="We use **three questions** instead.")
    tell()
    OutgoingMail.objects.update(due_at=MONDAY, next_try_at=MONDAY)


# --- events ----------------------------------------------------------------------------------------------------------
def webinar(given, **fields):
    fields = {
        "title": "What a residency leaves behind",
        "slug": "what-a-residency-leaves-behind",
        "starts_at": datetime(2026, 12, 3, 13, tzinfo=UTC),
        "ends_at": datetime(2026, 12, 3, 14, 15, tzinfo=UTC),
        "capacity": 100,
        "has_captions": True,
        "organisers": [given.priya],
    } | fields
    return make_event(uid="5b1c6f2e@kmnet.example", **fields)


def registered(given, event=None, **fields) -> Registration:
    fields = {"member": given.rosalind, "joined_at": MONDAY - timedelta(days=4)} | fields
    return make_registration(event=event or webinar(given), **fields)


def told_of(queue_it: Callable, status: Place, **fields) -> Callable:
    return lambda given: queue_it(registered(given, status=status, **fields))


for kind, queue_it, status in (
    ("events.confirmed", event_mails.queue_confirmed, Place.CONFIRMED),
    ("events.waiting", event_mails.queue_waiting, Place.WAITING),
    ("events.requested", event_mails.queue_requested, Place.REQUESTED),
    ("events.offer", event_mails.queue_offer, Place.OFFERED),
    ("events.offer_passed", event_mails.queue_offer_passed, Place.EXPIRED),
    ("events.recording", event_mails.queue_recording, Place.RECORDING),
    ("events.soft", event_mails.queue_soft, Place.SOFT),
    ("events.known", lambda row: event_mails.queue_known(row, MONDAY), Place.CONFIRMED),
):
    scene(kind)(
        told_of(queue_it, status, **({"offered_at": MONDAY} if kind == "events.offer_passed" else {}))
    )


@scene("events.position")
def position(given):
    event = webinar(given, capacity=1)
    make_registration(event=event, member=given.noor)
    event_mails.queue_position(registered(given, event, status=Place.WAITING), 1, before=7)


@scene("events.place_given")
def place_given(given):
    event = webinar(given, allows_transfer=True)
    row = registered(given, event, member=given.noor, confirmed_at=MONDAY - timedelta(days=2))
    events.transfer_place(registration=row, to_member=given.rosalind, actor=given.noor)


@scene("events.place_passed_on")
def place_passed_on(given):
    row = registered(given, webinar(given, allows_transfer=True), confirmed_at=MONDAY - timedelta(days=2))
    events.transfer_place(registration=row, to_member=given.noor, actor=given.rosalind)


@scene("events.cancelled_by_you")
def cancelled_by_you(given):
    events.cancel_registration(registration=registered(given), actor=given.rosalind)


@scene("events.removed")
def removed(given):
    events.remove_registration(registration=registered(given), by=given.priya, reason="You asked us to.")


@scene("events.refused")
def refused(given):
    row = registered(given, status=Place.REQUESTED)
    events.refuse_registration(
        registration=row, by=given.priya, reason="This one is for those who run a residency."
    )


@scene("events.reconfirm")
def reconfirm(given):
    event_mails.queue_reconfirm(registered(given, asked_at=MONDAY))


@scene("events.all_hands")
def all_hands(given):
    event = webinar(given, starts_at=MONDAY + timedelta(hours=2), ends_at=MONDAY + timedelta(hours=3))
    event_mails.queue_all_hands(registered(given, event, status=Place.WAITING))


@scene("events.reminder_24h", "events.reminder_1h")
def reminder(given, kind):
    ahead = timedelta(hours=23, minutes=58) if kind.endswith("24h") else timedelta(minutes=58)
    event = webinar(given, starts_at=MONDAY + ahead, ends_at=MONDAY + ahead + timedelta(hours=1))
    event_mails.queue_reminder(kind, registered(given, event))


@scene("events.event_cancelled")
def event_cancelled(given):
    event = webinar(given)
    registered(given, event)
    events.cancel_event(event=event, actor=given.priya, reason="Two of our speakers are ill.")


@scene("events.postponed")
def postponed(given):
    event = webinar(given)
    registered(given, event)
    events.postpone_event(event=event, actor=given.priya, reason="Two of our speakers are ill.")


@scene("events.event_changed")
def event_changed(given):
    event = webinar(given)
    registered(given, event)
    later = timedelta(days=7)
    events.update_event(
        event=event, actor=given.priya, starts_at=event.starts_at + later, ends_at=event.ends_at + later
    )


@scene("events.letter")
def letter(given):
    event = webinar(given)
    registered(given, event)
    events.write_to_people(
        event=event,
        actor=given.priya,
        audience="places",
        subject="One thing to bring",
        body="Please bring **one question** that a residency left you with.\n\nWe begin with them.",
        submit_key=uuid.uuid4(),
    )


@scene("events.prove")
def prove(given):
    events.request_guest_place(
        event=webinar(given), name="Ada Okafor", address="ada@example.com", time_zone="Africa/Lagos"
    )


@scene("events.invited")
def invited(given):
    event = webinar(given, visibility=Visibility.INVITED)
    events.invite_people(event=event, by=given.priya, members=[given.rosalind])


@scene("events.organiser_added")
def organiser_added(given):
    event = webinar(given, organisers=[given.priya, given.rosalind])
    event_mails.queue_organiser_added(event, given.rosalind, given.priya, MONDAY)


# --- groups ----------------------------------------------------------------------------------------------------------
def group(given, convenor, **fields) -> Group:
    return make_group(
        convenor=convenor, name="Evidence to practice: falls", purpose="We read one study a month.", **fields
    )


@scene("groups.requested")
def asks_to_join(given):
    groups.join_group(member=given.noor, group=group(given, given.rosalind, joining="on_request"))
    tell()


@scene("groups.invited")
def invited_to_group(given):
    groups.invite_member(actor=given.maren, group=group(given, given.maren), member=given.rosalind)
    tell()


@scene("groups.admitted")
def admitted(given):
    made = group(given, given.maren, joining="on_request")
    groups.join_group(member=given.rosalind, group=made)
    groups.answer_request(actor=given.maren, group=made, member=given.rosalind, admit=True)
    tell()


@scene("groups.led")
def led(given):
    made = group(given, given.maren)
    put_in(made, given.rosalind)
    groups.make_convenor(actor=given.maren, group=made, member=given.rosalind)
    tell()


@scene("groups.unled")
def unled(given):
    queue("groups.unled", given.priya, group=group(given, given.maren).pk)


# --- the hub ---------------------------------------------------------------------------------------------------------
@scene("hub.digest")
def digest(given):
    thread = question(given, author=given.noor)
    make_post(thread=thread, author=given.maren, source=ANSWER)
    own = make_thread(
        space=thread.space,
        author=given.rosalind,
        title=SUMMARY,
        source="I look for one.",
        tags=["primary care"],
    )
    make_post(thread=own, author=given.maren, source="Ours is in the library: one page, five boxes.")
    Post.objects.update(published_at=MONDAY - timedelta(days=1))
    make_registration(event=webinar(given), member=given.rosalind)
    make_resource(
        title="Multi-professional groups in general practice",
        published_at=MONDAY - timedelta(days=1),
        tags=["primary care"],
    )
    run = DigestRun.objects.create(
        member=given.rosalind,
        period="2026-W48",
        since=MONDAY - timedelta(days=7),
        until=MONDAY,
        due_at=MONDAY,
        ahead_from=MONDAY,
        ahead_until=MONDAY + timedelta(days=14),
    )
    queue("hub.digest", given.rosalind, run=run.pk)


@scene("hub.hidden", "hub.restored")
def decided(given, kind):
    post = make_post(thread=question(given, author=given.noor), author=given.rosalind, source=ANSWER)
    discussions.hide_post(post=post, actor=given.priya, reason="It names a patient.")
    post.refresh_from_db()
    if kind == "hub.restored":
        discussions.restore_post(post=post, actor=given.priya, reason="The name was taken out.")
    tell_author(moderation.kind_of(post), post.pk, kind)


# --- members ---------------------------------------------------------------------------------------------------------
@scene("members.welcome", "members.let_in")
def plain(given, kind):
    queue(kind, given.rosalind)


@scene("members.waiting")
def waiting_to_join(given):
    type(given.rosalind).objects.filter(pk=given.rosalind.pk).update(status=Status.PENDING)
    queue("members.waiting", given.rosalind)


@scene("members.declined")
def declined(given):
    type(given.rosalind).objects.filter(pk=given.rosalind.pk).update(status=Status.PENDING)
    JoinRequest.objects.create(
        member=given.rosalind, state="declined", reason="We are for those who link research with practice.",
        decided_at=MONDAY, decided_by=given.priya,
    )  # fmt: skip
    queue("members.declined", given.rosalind)


@scene("members.newcomer")
def newcomer(given):
    noor = given.noor
    noor.profile.headline = "Embedded researcher, alone in a hospital of 900"
    noor.profile.save()
    deed = activity.record("members.joined", actor=noor, target=noor)
    Activity.objects.filter(pk=deed.pk).update(fanned_out_at=MONDAY)
    queue("members.newcomer", given.priya, activity=deed.pk)


@scene("members.profile_hidden")
def profile_hidden(given):
    hide_profile(target=given.rosalind.profile, actor=given.priya, reason="The picture is not of you.")


@scene("members.wish_ends")
def wish_ends(given):
    profile = given.rosalind.profile
    profile.looking_until, profile.looking_for_text = (
        date(2026, 11, 30),
        "Somebody to think aloud with about boards.",
    )
    profile.save()
    queue("members.wish_ends", given.rosalind, until="2026-11-30")


@scene("members.copy_ready")
def copy_ready(given):
    export = DataExport.objects.create(
        member=given.rosalind, state="ready", ready_at=MONDAY, expires_at=MONDAY + timedelta(days=7)
    )
    queue("members.copy_ready", given.rosalind, export=export.pk)


@scene("members.leaving", "members.leaving_soon")
def leaving(given, kind):
    row = Leaving.objects.create(
        member=given.rosalind,
        keep_words=True,
        asked_at=MONDAY,
        due_at=MONDAY + timedelta(days=2 if kind.endswith("soon") else 14),
        status_before="active",
    )
    queue(kind, given.rosalind, leaving=row.pk)


@scene("members.dormant")
def dormant(given):
    long_ago = MONDAY - timedelta(days=700)
    type(given.rosalind).objects.filter(pk=given.rosalind.pk).update(last_seen_on=long_ago.date())
    Dormancy.objects.create(member=given.rosalind, first_mail_at=MONDAY)
    queue("members.dormant", given.rosalind)


@scene("members.still_here")
def still_here(given):
    type(given.rosalind).objects.filter(pk=given.rosalind.pk).update(last_seen_on=date(2026, 5, 20))
    queue("members.still_here", given.rosalind, on="2026-11-20")


@scene("members.digest_monthly")
def digest_monthly(given):
    type(given.rosalind).objects.filter(pk=given.rosalind.pk).update(last_seen_on=date(2026, 4, 20))
    type(given.rosalind.profile).objects.filter(member=given.rosalind).update(digest="monthly")
    queue("members.digest_monthly", given.rosalind, on="2026-10-20", was="weekly")


@scene("members.invitation", "members.list_invitation", "members.list_reminder")
def invitation(given, kind):
    brought = None
    if kind != "members.invitation":
        brought = BringIn.objects.create(
            name="KM Forum", basis="list", rows=1, promise="p", promise_version=1, confirmed_by=given.rosalind
        )
    row = Invitation.objects.create(
        address="ada@example.com",
        address_hash=hash_of_address("ada@example.com"),
        name="Ada Okafor",
        note="" if brought else "We met in Lagos; this is the place that I told you about.",
        invited_by=given.rosalind,
        bring_in=brought,
        expires_at=MONDAY + timedelta(days=30),
        mailed_at=MONDAY,
    )
    row.token_hash = invitations.hash_of_token(TOKEN)
    row.save()
    invitations._queue(row, kind, TOKEN)


@scene("members.introduction", "members.introduction_reminder", "members.introduced")
def introduction(given, kind):
    row: Introduction = propose_introduction(
        proposer=given.maren,
        one=given.rosalind,
        other=given.noor,
        reason="You both count what cannot be counted.",
    )
    if kind == "members.introduction_reminder":
        queue(kind, given.rosalind, introduction=row.pk)
    if kind == "members.introduced":
        for person in (given.noor, given.rosalind):
            answer_introduction(introduction=row, member=person, yes=True)
    tell()


# --- by mail, and what came back -------------------------------------------------------------------------------------
def came_in(given, **fields) -> ReceivedMail:
    raw = (
        "From: Rosalind Achebe <rosalind@example.org>\r\nTo: reply+abc@kmnet.example\r\n"
        "Subject: Re: Maren de Wit answered\r\nMessage-ID: <1234@mail.example.org>\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\nThank you, that is exactly it.\r\n"
    )
    return ReceivedMail.objects.create(
        message_id="<1234@mail.example.org>",
        recipient="reply+abc@kmnet.example",
        sender="rosalind@example.org",
        via="lmtp",
        raw=raw.encode(),
        member=given.rosalind,
        **fields,
    )


@scene("core.prove_again")
def prove_again(given):
    SuppressedAddress.objects.create(
        address_hash=hash_of_address(given.rosalind.email),
        score=4,
        scored_at=MONDAY,
        suppressed_at=MONDAY,
        reason="bounces",
    )
    queue("core.prove_again", given.rosalind)


@scene("core.inbound_rejected")
def rejected(given):
    row = came_in(given, state="rejected", reason="address_ended", done_at=MONDAY, authenticated="dkim")
    queue("core.inbound_rejected", given.rosalind, received=row.pk)


@scene("core.inbound_receipt")
def receipt(given):
    row = came_in(given, state="done", done_at=MONDAY)
    queue(
        "core.inbound_receipt",
        given.rosalind,
        received=row.pk,
        tell="Your words wait for a moderator.",
        url="/discussions/",
    )


# --- what is the same at each run ------------------------------------------------------------------------------------
PARTS = "members|invitations|accounts|settings|join|welcome"
NUMBERED = "bookmarks|keep|posts|introductions|group|hub|messages|moderation|library"
STEADY = [
    (re.compile(r"(/mail/[a-z-]+/)[^/\s\"<>#]{20,}/"), r"\1TOKEN/"),
    (re.compile(rf"(/(?:{PARTS})/[a-z/-]*?)[A-Za-z0-9_-]+:[A-Za-z0-9_:-]{{20,}}/"), r"\1TOKEN/"),
    (re.compile(r"reply\+[a-z0-9]+@"), "reply+TOKEN@"),
    (re.compile(r"/(\d+)(?=-[a-z0-9])"), "/1"),
    (re.compile(rf"(/(?:{NUMBERED})/(?:[a-z.-]+/)*)\d+"), r"\g<1>1"),
    (re.compile(r"thread-\d+@"), "thread-1@"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "HEX"),
]


def steady(words: str) -> str:
    for pattern, always in STEADY:
        words = pattern.sub(always, words)
    return words


# --- the library -------------------------------------------------------------------------------------------------------
def record(given, **fields) -> Resource:
    fields = {"title": "Walking the boundary: a field guide", "added_by": given.rosalind} | fields
    return make_resource(url="https://guides.example.org/boundary", **fields)


@scene("resources.released")
def released(given):
    library.release_resource(target=record(given, state="held"), actor=given.priya)
    tell()


@scene("resources.taken_down")
def taken_down(given):
    library.take_down(
        resource=record(given),
        actor=given.priya,
        reason="copyright",
        note="Its publisher asked us to.",
        why="They wrote to us on Friday. A link to their own page would be welcome.",
    )
    tell()


@scene("resources.link_broken")
def link_broken(given):
    resource = record(given)
    check = LinkCheck.objects.create(
        url_key=resource.url_key, url=resource.url, host="guides.example.org", state="broken", failures=4, reason="name",
    )  # fmt: skip
    activity.record("resources.link_broken", actor=None, target=resource, data={"check": check.pk})
    tell()


@scene("resources.offered")
def offered(given):
    handing_on.offer_resource(
        actor=given.maren, resource=record(given, added_by=given.maren), member=given.rosalind
    )
    tell()


@scene("core.free_tags")
def free_tags_of_many(given):
    type(given.rosalind).objects.filter(pk=given.rosalind.pk).update(is_superuser=True, is_staff=True)
    for number in range(6):
        make_resource(
            title=f"Record {number}", tags=["mindlines", "boundary work"] if number else ["mindlines"]
        )
    free_tags.tell_admins()

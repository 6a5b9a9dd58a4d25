"""A canary in every part of a profile, at every level: it is heard only where its audience is.

All parts are planted at one level at a time, and each kind of viewer opens each page once."""

import re
from datetime import time, timedelta
from urllib.parse import urlencode

import pytest
from django.core import mail as sent
from django.core.cache import cache
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from discussions.models import Post, Thread
from discussions.services import set_reaction
from events.models import Speaker
from kmnet.core import activity
from kmnet.core.mail import send_due_mail
from kmnet.core.models import Activity, Facet, Term
from kmnet.hub import services as hub
from kmnet.hub.models import DigestSchedule
from kmnet.hub.tasks import queue_due_digests
from members import services
from members.models import Boundary, Group, GroupMember, Member, Profile, SeenBy, Standing
from members.services.directory import COUNTRIES_KEY
from members.visibility import PARTS
from resources import services as library
from resources.models import ResourceEdit
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.factories.events import make_event, make_registration, make_session_item
from tests.factories.resources import make_collection, make_resource

pytestmark = pytest.mark.django_db

NAME, ADDRESS, ORCID = "Zuzanna Q", "zuzanna.canary@example.org", "0000-0002-1825-0097"
PICTURE = "c0ffee" * 4
TERMS = {"roles": "role", "work_settings": "setting", "interests": "method", "frameworks": "framework"}
FINDS = {  # what somebody might filter the directory by
    "help": "canarycanhelp",
    "seek": "canarylookingfor",
    "role": "canaryroles",
    "setting": "canaryworksettings",
    "interest": "canaryinterests",
    "framework": "canaryframeworks",
    "country": "FO",
    "team": "solo",
    "language": "mi",
    "free": "learning_set",
}
TRACES = {
    **{part: [f"canary{part.replace('_', '')}"] for part in PARTS},
    "team_size": ["Only one in the team", "only one here who does this</dd>", 'value="solo"'],
    "years": ["more than ten years"],
    "languages": ["Maori", "Māori"],
    "clock": ["Local time", " there</p>", " there<span", "Pacific/Chatham"],
    "hours": ["03:17", "Usual hours"],
    "availability": ["An action learning set"],
    "avatar": [PICTURE],
    "orcid": [ORCID],
    "email": [ADDRESS],
    "place": ["canaryplace", "Faroe"],
}
SEES = {
    SeenBy.PUBLIC: {"guest", "pending", "member", "mate", "host", "blocked", "blocked mate", "owner"},
    SeenBy.MEMBERS: {"member", "mate", "host", "owner"},
    SeenBy.GROUPS: {"mate", "owner"},
    SeenBy.ME: {"owner"},
}


def test_every_part_has_a_canary():
    assert set(TRACES) == set(PARTS)


def plant(owner: Member, level: SeenBy) -> None:
    """Something to find, in every attribute of every part."""

    def word(part):
        return f"canary{part.replace('_', '')}"

    # Seven minutes away from whatever the pages tell of now, in this zone or another, by the hour or the quarter.
    starts = time(3, (timezone.now().minute + 7) % 60)
    TRACES["hours"][0] = f"{starts:%H:%M}"
    values = {part: word(part) for part in ("headline", "pronouns", "job_title", "organisation", "about")}
    for part, facet in TERMS.items():
        values[part] = [Term.objects.create(facet=Facet.objects.get(key=facet), name=word(part))]
    services.update_profile(
        member=owner,
        **values,
        region=word("place"),
        country="FO",
        can_help=[word("can_help")],
        can_help_text=f"{word('can_help')} in a sentence",
        looking_for=[word("looking_for")],
        looking_for_text=f"{word('looking_for')} in a sentence",
        links=[f"https://{word('links')}.example/"],
        team_size="solo",
        years="10+",
        languages_work=["mi"],
        languages_follow=["mi"],
        availability=["learning_set"],
        hours=[{"weekdays": [0, 1], "starts": starts, "ends": time(4, 44)}],
        time_zone="Pacific/Chatham",
        **{f"{part}_seen_by": level for part in PARTS},
    )
    services.set_orcid(member=owner, orcid=ORCID)
    Profile.objects.filter(member=owner).update(avatar=f"avatars/{PICTURE}-320.webp", orcid_seen_by=level)
    services.index_profile(Profile.objects.get(member=owner))
    cache.delete(COUNTRIES_KEY)  # dropped on commit, which no test of this kind reaches


@pytest.fixture
def crowd(signed_in, vocabulary) -> dict[str, Client]:
    """A browser for each kind of viewer. They are in no list themselves: there they would see their own parts."""
    unlisted = {"is_listed": False, "digest": "daily", "digest_hour": timezone.now().hour}
    people = {
        "pending": make_member(status="pending", profile=unlisted),
        "member": make_member(profile=unlisted),
        "mate": make_member(profile=unlisted),
        "host": make_member(is_host=True, email="host@example.org", profile=unlisted),
        "blocked": make_member(profile=unlisted),
        "blocked mate": make_member(profile=unlisted),
        "owner": make_member(name=NAME, email=ADDRESS),
    }
    owner = people["owner"]
    group = Group.objects.create(slug="together", name="Together")
    for who in ("owner", "mate", "blocked mate"):
        GroupMember.objects.create(group=group, member=people[who], standing=Standing.MEMBER)
    for who in ("blocked", "blocked mate"):
        Boundary.objects.create(owner=owner, other=people[who], distance="block")
    return {"guest": Client(), **{who: signed_in(member) for who, member in people.items()}}


@pytest.fixture
def pages(crowd) -> dict[str, str]:
    """Every page that names the owner: they ask, answer, speak, organise, come, and add to the library."""
    owner = Member.objects.get(name=NAME)
    space = make_space()
    asked = make_thread(author=owner, space=space)
    answered = make_thread(space=space)
    make_post(thread=answered, author=owner)
    question = answered.posts.get(number=1)
    set_reaction(member=owner, post=question, kind="thanks", on=True)
    event = make_event(organisers=[owner])
    make_registration(event=event, member=owner)
    session = make_session_item(event=event)
    session.speakers.add(Speaker.objects.create(name=NAME, member=owner))
    resource = make_resource(added_by=owner)
    ResourceEdit.objects.create(resource=resource, editor=owner, before={"title": "As it was"})
    library.tell_story(actor=owner, resource=resource, telling=library.Telling(place="Here", happened="Much"))
    collection = make_collection(owner=owner, visibility="public", items=[resource])
    return {
        "home": "/",
        "profile": owner.get_absolute_url(),
        "contributions": reverse("members:contributions", args=[owner.handle]),
        "answers": reverse("members:contributions", args=[owner.handle]) + "?kind=answers",
        "directory": reverse("members:directory"),
        "directory by name": reverse("members:directory") + "?q=zuzanna&sort=name",
        "search by name": "/search/?q=zuzanna",
        "discussions": reverse("discussions:index"),
        "space": space.get_absolute_url(),
        "thread": asked.get_absolute_url(),
        "answered thread": answered.get_absolute_url(),
        "who reacted": reverse("discussions:reactions", args=[question.pk]),
        "ask": reverse("discussions:ask"),
        "events": reverse("events:index"),
        "event": event.get_absolute_url(),
        "desk of the event": reverse("events:organise", args=[event.pk, event.slug]),
        "its organisers": reverse("events:organisers", args=[event.pk, event.slug]),
        "calendar file": reverse("events:calendar_file", args=[event.pk, event.slug]),
        "library": reverse("resources:index"),
        "resource": resource.get_absolute_url(),
        "history of the resource": reverse("resources:history", args=[resource.pk]),
        "who looks after the resource": reverse("resources:keeper", args=[resource.pk]),
        "stories": reverse("resources:stories", args=[resource.pk, resource.slug]),
        "collections": reverse("resources:collections"),
        "collection": collection.get_absolute_url(),
        "group": reverse("groups:detail", args=["together"]),
        "group people": reverse("groups:people", args=["together"]),
        "notifications": "/notifications/",
        "countries": reverse("members:countries"),
        "introduce": reverse("members:introduce", args=[owner.handle]),
        "write to": reverse("messages:new") + f"?to={owner.handle}",
        "write to by name": reverse("messages:people") + "?q=zuzanna",
        "introductions": reverse("members:introductions"),
        "ignore or block": reverse("members:distance", args=[owner.handle]),
        "newcomers to greet": reverse("hub:hello"),
        "replies owed": reverse("hub:replies"),
    }


# Where a part is shown to those who may see it, so that the silence elsewhere means something.
HEARD = {
    "profile": set(PARTS),
    "directory": {
        *("headline", "job_title", "organisation", "place", "can_help", "looking_for", "team_size", "avatar"),
        *("languages", "clock"),
    },
}


OFFER_TERMS = {"ask", "discussions", "space"}  # as tags, and as facets to filter by


def heard(page: str) -> set[str]:
    page = re.sub(r"\d\d:\d\d:\d\d", "", page)  # moments to the second; nobody's usual hours
    return {part for part, traces in TRACES.items() if any(trace in page for trace in traces)}


@pytest.mark.parametrize("level", SeenBy)
def test_canary_is_heard_only_by_its_audience(level, crowd, pages):
    owner = Member.objects.get(name=NAME)
    plant(owner, level)
    audience = [who for who in crowd if who in SEES[level]]
    others = [who for who in crowd if who not in SEES[level]]
    for page, address in pages.items():
        # Who may see it comes first, so that nothing kept of their page goes to the others.
        for who in [*(audience if page in HEARD else audience[:1]), *others]:
            response = crowd[who].get(address)
            parts = heard(response.content.decode())
            if page in OFFER_TERMS:  # the vocabulary is no secret; the words of members are
                parts -= set(TERMS)
            if who in others:
                assert parts == set(), (who, page)
            elif response.status_code == 200 and page in HEARD and not (who == "owner" and page != "profile"):
                assert parts >= HEARD[page], (who, page, HEARD[page] - parts)
    for who, browser in crowd.items():
        picture = browser.get(reverse("members:picture", args=[owner.pk, PICTURE, 96]))
        # It has no bytes, so a member gets a 404 in any case; a guest who may not see it is sent to sign in.
        assert picture.status_code == (302 if who == "guest" and level > SeenBy.PUBLIC else 404), who


@pytest.mark.parametrize("level", [SeenBy.MEMBERS, SeenBy.GROUPS, SeenBy.ME])
def test_canary_is_silent_also_where_one_part_is_open_to_anyone(level, crowd, pages):
    """Then guests and those who are blocked do open the page."""
    owner = Member.objects.get(name=NAME)
    plant(owner, level)
    services.update_profile(member=owner, headline="In the open", headline_seen_by=SeenBy.PUBLIC)
    for who in ("guest", "pending", "blocked", "blocked mate"):
        for page in ("profile", "contributions"):
            response = crowd[who].get(pages[page])
            assert response.status_code == 200, (who, page)
            assert heard(response.content.decode()) == set(), (who, page)
    assert "In the open" in crowd["guest"].get(pages["profile"]).content.decode()


@pytest.mark.parametrize("level", SeenBy)
def test_canary_is_neither_found_nor_filtered_by_nor_counted(level, crowd):
    """By its words in the directory and the search, by each facet; the counts of facets name no hidden value."""
    plant(Member.objects.get(name=NAME), level)
    people = reverse("members:directory")

    def is_found(browser, address, **query):
        return NAME in browser.get(f"{address}?{urlencode(query)}").content.decode()

    filters = {
        key: value
        for key, value in FINDS.items()
        if not is_found(crowd["mate"], people, **{key: "no-such-value"})
    }
    assert set(filters) >= {"help", "role", "country", "team"}
    for who in ("member", "mate", "blocked mate"):
        may, browser = who in SEES[level], crowd[who]
        for part in ("headline", "looking_for"):
            assert is_found(browser, people, q=TRACES[part][0]) == may, (who, part)
        assert is_found(browser, reverse("hub:search"), q="canarycanhelp") == may, who
        for key, value in filters.items():
            assert is_found(browser, people, **{key: value}) == may, (who, key)


@pytest.mark.parametrize("level", SeenBy)
def test_canary_is_in_no_mail_to_others(level, crowd, pages):
    """The host's mails: somebody is new, and the digest with newcomers and questions."""
    owner, host = Member.objects.get(name=NAME), Member.objects.get(email="host@example.org")
    plant(owner, level)
    services.update_profile(member=host, can_help=["anything"])
    hub.refresh_schedules()
    past = timezone.now() - timedelta(days=1)
    DigestSchedule.objects.update(next_due_at=timezone.now() - timedelta(minutes=1), covered_until=past)
    back = timedelta(minutes=30)
    Post.objects.update(published_at=F("published_at") - back)
    Thread.objects.update(last_post_at=F("last_post_at") - back)
    Member.objects.filter(pk=owner.pk).update(onboarded_at=timezone.now() - back)
    activity.record("members.joined", actor=owner, target=owner)
    for deed in Activity.objects.waiting():
        activity.fan_out(activity_id=deed.pk)
    queue_due_digests()
    sent.outbox.clear()
    send_due_mail()
    others = [m for m in sent.outbox if ADDRESS not in m.to]
    mails = "".join(part for m in others for part in (m.subject, m.body, *(alt[0] for alt in m.alternatives)))
    assert NAME in mails
    shown = {"headline", "place"} if level <= SeenBy.MEMBERS else set()
    assert heard(mails) >= shown
    assert level <= SeenBy.MEMBERS or heard(mails) == set()

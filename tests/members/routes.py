"""Walking every address of the site as everybody: who there is, what there is, and what an answer means."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse

from discussions.models import Post
from events.models import Visibility as EventVisibility
from kmnet.core import tokens
from members.models import Group, GroupMember, Standing, Status
from resources.models import Visibility as ResourceVisibility
from tests.factories import make_member
from tests.factories.discussions import make_message, make_space, make_thread
from tests.factories.events import make_event, make_registration
from tests.factories.resources import make_collection, make_resource

ROLES = (
    "guest",
    "unproven",  # has joined, and has not opened the link in the mail
    "pending",  # has, and waits for a moderator
    "member",
    "silenced",
    "suspended",
    "leaving",  # the account is to be deleted, and can still be kept
    "host",
    "organiser",  # of the event that the addresses name
    "other_organiser",
    "moderator",
    "admin",
)
FIELDS = {
    "unproven": {"address_proven": False},
    "pending": {"status": Status.PENDING},
    "member": {},
    "silenced": {"status": Status.SILENCED},
    "suspended": {"status": Status.SUSPENDED, "is_active": False},
    "leaving": {"status": Status.LEAVING},
    "host": {"is_host": True},
    "organiser": {"is_organiser": True},
    "other_organiser": {"is_organiser": True},
    "moderator": {"is_moderator": True, "is_staff": True},
    "admin": {"is_staff": True, "is_superuser": True},
}


# --- every address -----------------------------------------------------------------------------------------------------
def routes(patterns=None, prefix="", namespace="") -> Iterator[tuple[str, str]]:
    """(name, route) of everything that the resolver knows; where an address has no name, its route stands for it."""
    for item in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(item.pattern)
        if hasattr(item, "url_patterns"):
            inner = ":".join(filter(None, (namespace, item.namespace)))
            yield from routes(item.url_patterns, route, inner)
        elif item.name:
            yield ":".join(filter(None, (namespace, item.name))), route
        else:
            yield route, route


# --- what there is -----------------------------------------------------------------------------------------------------
class World:
    """Somebody of each role, and one of each thing; nothing belongs to any of them but the event to its organiser."""

    def __init__(self):
        self.people = {role: make_member(**fields) for role, fields in FIELDS.items()}
        self.owner = owner = make_member(name="Olive Owner", is_organiser=True)
        self.event = make_event(organisers=[self.people["organiser"]], visibility=EventVisibility.MEMBERS)
        self.registration = make_registration(event=self.event, member=owner)
        space = make_space(readable_by="members")
        self.thread = make_thread(author=owner, space=space, replies=1)
        self.post = Post.objects.filter(thread=self.thread).order_by("number").last()
        self.message = make_message(owner, make_member())
        self.resource = make_resource(added_by=owner, visibility=ResourceVisibility.MEMBERS)
        self.collection = make_collection(
            owner=owner, visibility="members", items=[self.resource], title="A reading list"
        )
        self.group = Group.objects.create(slug="listed", name="Listed", is_listed=True)
        GroupMember.objects.create(group=self.group, member=owner, standing=Standing.CONVENOR)
        self.kwargs = {
            "handle": owner.handle,
            "kind": "post",
            "registration": self.registration.pk,
            "token": tokens.make("nobody-knows-this-purpose"),
            "key": "x",
            "uidb36": "x",
            "provider_id": "linkedin",
            "provider": "mailgun",
            "number": 1,
            "edit": 2**31 - 1,
            "tag": 2**31 - 1,
            "size": 96,
            "width": 640,
            "name": "a.pdf",
            "form": "bib",
            "purpose": "news",
            "act": "admit",
            "app_label": "members",
            "url": "x",
            "content_type_id": 1,
            "object_id": owner.pk,
        }

    def address(self, name: str, route: str) -> str:
        """The address of this route, filled with the one thing that there is of its kind."""
        slugs, numbers = {}, {"pk": 2**31 - 1}  # what nobody has
        if name.startswith("events:"):
            slugs, numbers = {"slug": self.event.slug}, {"pk": self.event.pk}
        elif name.startswith("groups:"):
            slugs = {"slug": self.group.slug}
        elif name.startswith("discussions:"):
            one = self.post if "posts/" in route else self.thread
            slugs = {"space": self.thread.space.slug, "slug": self.thread.slug, "group": self.group.slug}
            slugs |= {"key": "00000000-0000-4000-8000-000000000000"} if "<uuid:key>" in route else {}
            numbers = {"pk": one.pk}
        elif name.startswith("messages:"):
            numbers = {"pk": self.message.thread_id}
        elif name.startswith("resources:collection_") or name == "resources:collection":
            slugs, numbers = {"slug": self.collection.slug}, {"pk": self.collection.pk}
        elif name.startswith("resources:") and "searches/" not in route and "files/" not in route:
            slugs, numbers = {"slug": self.resource.slug}, {"pk": self.resource.pk}
        elif name.startswith("hub:") and "<str:kind>" in route:
            numbers = {"pk": self.post.pk}
        elif name.startswith(("hub:joining", "hub:said")):
            numbers = {"pk": self.owner.pk}
        known = {**self.kwargs, **slugs, **numbers}
        wanted = re.findall(r"<(?:\w+:)?(\w+)>", route)
        try:
            return reverse(name, kwargs={one: known[one] for one in wanted})
        except NoReverseMatch:
            return "/" + re.sub(r"[\^$]|\\Z", "", route)


# --- asking ------------------------------------------------------------------------------------------------------------
class Visitor:
    """One role's browser. What a request changes is undone, and so is what it did to the browser."""

    def __init__(self, member):
        self.client = Client()
        if member is not None:
            self.client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
            self.client.get(
                "/about/"
            )  # the session is on its owner's list from here on, as after any first page
        self.kept = {name: morsel.value for name, morsel in self.client.cookies.items()}
        self.written: list[str] = []

    def ask(self, method: str, address: str, data: dict | None = None):
        self.written.clear()
        self.client.cookies.clear()
        self.client.cookies.load(self.kept)
        with undone(), connection.execute_wrapper(self.note):
            return getattr(self.client, method.lower())(address, data or {})

    def note(self, execute, sql, params, many, context):
        if match := re.match(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?', sql, re.IGNORECASE):
            self.written.append(match[1])
        return execute(sql, params, many, context)


@contextmanager
def undone():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def meaning(response) -> str:
    """The answer in one word."""
    status = response.status_code
    if status in (301, 302, 303):
        place = response["Location"]
        if place.startswith(("/accounts/login/", "/admin/login/")):
            return "sign in"
        return {"/welcome/waiting/": "waiting", "/leaving/": "leaving"}.get(place, "yes")
    if status < 400 or status == 422:
        return "yes"
    return str(status)

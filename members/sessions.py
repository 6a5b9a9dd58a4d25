"""The session and whose it is, with one question to the database: every page of a member asks it.

Nothing is kept between requests, so that what changes about a member (suspended, made a moderator, another language)
holds from the next request on. Sessions are in the database only: Redis may forget, and a session that was ended is ended.
"""

from datetime import timedelta

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from kmnet.core.fixed import ask_first, fixed

from .models import Member


@fixed
def owner_of(*, key, now):
    """The member who is on the list with this session, with its `session_data` (None where it has ended)."""
    session = Session.objects.filter(session_key=OuterRef("usersession__session_key"), expire_date__gt=now)
    return Member.objects.filter(usersession__session_key=key).annotate(
        session_data=Subquery(session.values("session_data")), session_seen_at=F("usersession__last_seen_at")
    )


class SessionStore(db.SessionStore):
    """Brings its owner along in `owner`, where the list of sessions knows them."""

    owner = None

    def load(self):
        found = ask_first(lambda: owner_of(key=self.session_key, now=timezone.now()))
        if found and found[0].session_data:
            self.owner = found[0]
            return self.decode(self.owner.session_data)
        return super().load()  # a guest's; a member's before their first page; one that has ended


def user_of(request):
    """As django.contrib.auth.get_user, which is asked wherever anything is out of the ordinary."""
    session = request.session
    if session.session_key is None:
        return AnonymousUser()
    pk = session.get(auth.SESSION_KEY)
    owner = getattr(session, "owner", None)
    if pk is None:
        return AnonymousUser()
    if owner is not None and str(owner.pk) == pk and owner.is_active and _is_signed_in(session, owner):
        return owner
    return auth.get_user(request)


def _is_signed_in(session, member) -> bool:
    stated = session.get(auth.HASH_SESSION_KEY) or ""
    return session.get(
        auth.BACKEND_SESSION_KEY
    ) in settings.AUTHENTICATION_BACKENDS and constant_time_compare(stated, member.get_session_auth_hash())


def is_due_on_the_list(request, every: timedelta) -> bool:
    """Has the list of sessions not heard of this one for so long?"""
    owner = getattr(request.session, "owner", None)
    return owner is None or timezone.now() - owner.session_seen_at > every

"""What the composer asks for while somebody types: people and things to name, threads like theirs, replies meanwhile.

Each answer is a few rows that this reader may see, and changes nothing.
"""

from django.contrib.auth.decorators import login_not_required
from django.db.models import Q
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from kmnet.core.ratelimit import allow
from kmnet.core.search import AnyWords, SearchText, WordsBegun, hits_of
from kmnet.core.text import clean_line
from members.models import Member, blockers_of, unread_by
from members.models.member import name_like
from members.permissions import can_write, is_full_member

from ..models import Post, written_by
from .access import find_thread

OFFERED = 6
ASKED_A_MINUTE = 90
THINGS = ("library", "events")
ALIKE = ("discussions", "library")


def may_ask(request, what: str) -> bool:
    """Counted here, since it is a GET."""
    return allow(f"{what}:{request.user.pk}", limit=ASKED_A_MINUTE, seconds=60)


@require_GET
def complete(request):
    """?kind=people or things, ?q=what was typed after @ or #; creators: a line of names, of whom oneself may be one."""
    if not can_write(request.user) or not may_ask(request, "complete"):
        return HttpResponse(status=429 if can_write(request.user) else 403)
    asked = clean_line(request.GET.get("q", "")[:60])
    kind = request.GET.get("kind")
    if kind in ("people", "creators"):
        found = people_like(request.user, asked, oneself=kind == "creators")
    else:
        found = things_like(request.user, asked)
    return JsonResponse({"options": found})


def people_like(member: Member, asked: str, *, oneself: bool = False) -> list[dict]:
    """Those whom the directory lists, by their name ("May, Andrée" is one, too), and whoever has just this handle; nobody
    who keeps away."""
    parts = [SearchText(part.strip(" .").replace("-", " ")) for part in asked.split(",")[:3]]
    parts = [part for part in parts if any(char.isalnum() for char in part.text)]
    if not parts:
        return []  # signs alone are in every name, and in none
    near = Member.objects.full() if oneself else Member.objects.full().exclude(pk=member.pk)
    near = near.exclude(pk__in=blockers_of(member)).exclude(pk__in=unread_by(member))
    named = near.filter(Q(profile__is_listed=True) | Q(pk=member.pk), *map(name_like, parts))
    by_name = named.order_by("name_key", "pk")[:OFFERED]
    by_handle = near.filter(handle__iexact=asked)
    people = list(dict.fromkeys([*by_handle, *by_name]))[:OFFERED]
    return [{"text": f"@{one.handle} ", "label": one.name, "more": f"@{one.handle}"} for one in people]


def things_like(member: Member, asked: str) -> list[dict]:
    """Resources and events by words of their titles; what comes into the text is a plain link."""
    text = WordsBegun(asked)
    hits = [hit for _source, hit in hits_of(THINGS, text, member, OFFERED * 4) if text.fits(hit.title)]
    return [
        {"text": f"[{plain(hit.title)}]({hit.url}) ", "label": hit.title, "more": hit.meta}
        for hit in hits[:OFFERED]
    ]


def plain(title: str) -> str:
    return "".join(f"\\{char}" if char in "[]\\`*_<" else char for char in title)


def alike(member, title: str) -> list[dict]:
    """Threads and library items whose words are like those of this title."""
    return [
        {"url": hit.url, "title": hit.title, "meta": hit.meta, "kind": source.label}
        for source, hit in hits_of(ALIKE, AnyWords(title), member, 3)
    ]


@login_not_required  # nothing for who is signed out meanwhile: a hint sends nobody away from what they write
@require_GET
def similar(request):
    """?title=…: a fragment for the form of a new thread. 204, which leaves the page as it is, for who is no full member."""
    if not is_full_member(request.user):
        return HttpResponse(status=204)
    if not may_ask(request, "similar"):
        return HttpResponse(status=429)
    title = request.GET.get("title", "")[:160]
    return render(request, "discussions/_similar.html", {"similar": alike(request.user, title)})


@login_not_required  # 401 for who is signed out meanwhile: a script asks
@require_GET
def since(request, pk):
    """?n=<number>: how many replies by others came after that one; 204 where none did."""
    if not request.user.is_authenticated:
        return HttpResponse(status=401)
    thread = find_thread(request, pk)
    number = request.GET.get("n", "")
    if not (number.isascii() and number.isdigit() and len(number) < 10) or thread.last_number <= int(number):
        return HttpResponse(status=204)
    newer = Post.objects.shown().filter(thread=thread, number__gt=int(number))
    newer = newer.exclude(written_by(request.user))
    first, count = newer.order_by("number").values_list("number", flat=True).first(), newer.count()
    if not count:
        return HttpResponse(status=204)
    words = ngettext("%(count)d new reply while you wrote", "%(count)d new replies while you wrote", count)
    return JsonResponse({"words": words % {"count": count}, "url": thread.url_of(first)})

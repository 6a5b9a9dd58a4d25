"""Reacting to a post, and who did."""

from django.http import Http404, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from kmnet.core.keyset import paginate
from kmnet.core.ratelimit import limited

from .. import hanging, services
from ..models import Reaction
from ..permissions import has_standing_words
from ..reaction_bars import bar
from .access import find_post


@limited("discussions-react", "300/h")
def react(request, pk):
    """`set` is “thanks:on” or “thanks:off”. htmx gets the bar; without scripts one is back at the post."""
    post = find_post(request, pk)
    if request.method == "POST":
        kind, _colon, state = request.POST.get("set", "").partition(":")
        if kind not in Reaction.Kind.values or state not in ("on", "off"):
            raise Http404
        services.set_reaction(member=request.user, post=post, kind=kind, on=state == "on")
        if request.htmx:
            hanging.reactions(request.user, post.thread, [post])
            return HttpResponse(bar(post, csrf_token=get_token(request), signed_in=True))
    return redirect(post)


@require_GET
def reactions(request, pk):
    """Who reacted, by kind, in the order in which they did. Nobody is ranked."""
    post = find_post(request, pk)
    if not has_standing_words(post):
        raise Http404
    found = Reaction.objects.filter(post=post).exclude(member__in=request.user.unwanted)
    page = paginate(found.select_related("member"), request.GET, order=["kind", "pk"], size=50)
    return render(request, "discussions/reactions.html", {"post": post, "thread": post.thread, "page": page})

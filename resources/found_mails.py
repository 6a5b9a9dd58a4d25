"""What is new in the library for a saved search, found anew at the moment of sending."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kmnet.core.mail import Line, MailContent, Withhold

from .models import Resource, SavedSearch
from .services.searches import found_since

NAMED = 10


def compose_new_found(mail) -> MailContent:
    """The titles, each with what it is good for; how many more; and the way to the look itself."""
    search = SavedSearch.objects.select_related("member").filter(pk=mail.refs["search"]).first()
    if search is None:
        raise Withhold("the search was deleted")
    if not search.tells:
        raise Withhold("the search tells no more")
    since, until = (datetime.fromisoformat(mail.refs[name]) for name in ("since", "until"))
    found = found_since(search, since, until)
    if mail.is_preview:  # what a group keeps is shown to those who are in it
        found = found.filter(group__isnull=True)
    pks = list(found.values_list("pk", flat=True)[:500])
    if not pks:
        raise Withhold("nothing of what it found is there to be seen any more")
    rows = Resource.objects.filter(pk__in=pks[:NAMED]).with_card().order_by("-published_at", "-pk")
    first, count = rows[0], len(pks)
    url = f"{settings.SITE_URL}{reverse('resources:index')}?{search.query}&sort=newest"
    words = ngettext("%(title)s", "%(title)s and %(more)d more", count) % {
        "title": first.title,
        "more": count - 1,
    }
    return MailContent(
        context={
            "search": search,
            "resources": list(rows),
            "count": count,
            "more": count - min(count, NAMED),
            "url": url,
            "site": settings.SITE_URL,
            "searches_url": settings.SITE_URL + reverse("resources:searches"),
            "why": _("You get this because you have saved this search."),
        },
        line=Line(search.name, words, url, f"search:{search.pk}"),
    )

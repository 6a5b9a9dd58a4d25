"""`/search/`: everything a person may see, one block per kind."""

import difflib
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from kmnet.core.models import Term
from kmnet.core.search import SearchText, sources
from kmnet.core.text import fold
from kmnet.core.vocabulary import known_phrases
from members.permissions import can_write

EACH, ONLY = 5, 50  # findings of each kind beside the others; of one kind alone


@login_not_required
def search(request):
    text = SearchText(request.GET.get("q", ""))
    known = {source.key for source in sources()}
    kind = request.GET.get("kind", "")
    kind = kind if kind in known else ""
    blocks = blocks_for(text, request.user, kind) if text else []
    total = sum(block["total"] for block in blocks)
    context = {
        "text": text,
        "kind": kind,
        "blocks": [block for block in blocks if block["hits"] and kind in ("", block["key"])],
        "tabs": tabs_for(text, blocks, kind, total),
        "total": total,
        "also": text.also if text else [],
        "did_you_mean": did_you_mean(text) if text and not total else [],
        "may_ask": can_write(request.user),
        "ask_href": f"{reverse('discussions:ask')}?{urlencode({'title': text.text})}" if text else "",
    }
    response = render(request, "hub/search.html", context)
    response["X-Robots-Tag"] = "noindex"
    return response


def blocks_for(text: SearchText, viewer, kind: str) -> list[dict]:
    """What each source found; the tabs need the totals of all, also where only one kind is shown."""
    found = []
    for source in sources():
        page = source.search(text, viewer, (ONLY if source.key == kind else 1) if kind else EACH)
        found.append(
            {
                "key": source.key,
                "label": source.label,
                "hits": page.hits,
                "total": page.total,
                "more": page.total > len(page.hits),
                "href": href(text, source.key),
            }
        )
    return found


def tabs_for(text: SearchText, blocks: list[dict], kind: str, total: int) -> list[dict]:
    if not total:
        return []
    everything = {"label": _("Everything"), "href": href(text), "current": not kind, "count": total}
    return [
        everything,
        *(
            {
                "label": block["label"],
                "href": block["href"],
                "current": block["key"] == kind,
                "count": block["total"],
            }
            for block in blocks
            if block["total"] or block["key"] == kind
        ),
    ]


def href(text: SearchText, kind: str = "") -> str:
    query = {"q": text.text, "kind": kind} if kind else {"q": text.text}
    return f"{reverse('hub:search')}?{urlencode(query)}"


def did_you_mean(text: SearchText) -> list[dict]:
    """Words of the field's vocabulary that are spelled nearly so."""
    spellings = {fold(name): name for name in Term.objects.current().values_list("name", flat=True)}
    for phrase, group in known_phrases().items():
        spellings.setdefault(phrase, next((word for word in group if fold(word) == phrase), phrase))
    near = difflib.get_close_matches(fold(text.text), spellings, n=3, cutoff=0.72)
    found = [spellings[phrase] for phrase in near if phrase != fold(text.text)]
    return [{"words": word, "href": href(SearchText(word))} for word in found]

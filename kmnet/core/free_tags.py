"""Free tags that many use: what the vocabulary may have missed, and making one of its terms of them.

Apps register who bears tags. Once a month the admins get the list of those that all members meet MANY times or more and
that name no term; what is used among few (groups, messages) is neither counted nor told.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from taggit.models import Tag, TaggedItem

from . import audit, mail
from .models import Synonym, SynonymGroup, Term
from .text import fold
from .vocabulary import forget_words, known_phrases

MANY = 5
LISTED = 200
MONTHLY = "core.free_tags"


@dataclass(frozen=True)
class TagBearer:
    """How one kind of thing bears tags. uses(): the ids of the tags as all members meet them, one for each thing that
    bears it. merge(tag, term, named): give the things that bear `tag` the term, or the tag `named` like it where they bear
    no terms; return how many; in the transaction of the merger."""

    key: str
    uses: Callable[[], Iterable[int]]
    merge: Callable[[Tag, Term, Tag], int]


_bearers: dict[str, TagBearer] = {}


def register(bearer: TagBearer) -> None:
    """From an app's hooks. Another one under the same key is a mistake."""
    if _bearers.setdefault(bearer.key, bearer) != bearer:
        raise ValueError(f"bearer of tags {bearer.key!r} is registered twice")


@dataclass(frozen=True)
class FreeTag:
    tag: Tag
    count: int


def free_tags(*, many: int = MANY) -> list[FreeTag]:
    """Those used so often that name no term and no synonym of one, the most used first."""
    counts: Counter[int] = Counter()
    for bearer in _bearers.values():
        counts.update(bearer.uses())
    often = {pk: count for pk, count in counts.items() if count >= many}
    known = {fold(name) for name in Term.objects.values_list("name", flat=True)}
    for group in known_phrases().values():
        words = {fold(word) for word in group}
        if words & known:
            known |= words
    found = [
        FreeTag(tag, often[pk])
        for pk, tag in Tag.objects.in_bulk(list(often)).items()
        if fold(tag.name) not in known
    ]
    return sorted(found, key=lambda one: (-one.count, one.tag.name))[:LISTED]


@transaction.atomic
def merge_tag(*, actor, tag: Tag, term: Term) -> int:
    """Everything that bears the tag bears the term instead, and the tag's word finds the term from now on; return how many
    things changed. The caller has made sure that the actor may. Logged. Twice is once. Locks the term, then the tag."""
    term = Term.objects.select_for_update(of=("self",)).select_related("facet").current().get(pk=term.pk)
    tag = Tag.objects.select_for_update().filter(pk=tag.pk).first()
    if tag is None:
        return 0
    named, _new = Tag.objects.get_or_create(name=term.name)
    changed = sum(bearer.merge(tag, term, named) for bearer in _bearers.values())
    _make_synonyms(tag.name, term.name)
    audit.record_act(
        actor=actor,
        verb="core.tag_merged",
        target=term,
        reason=tag.name,
        data={"tag": tag.pk, "things": changed},
    )
    if tag.pk != named.pk:
        tag.delete()
    transaction.on_commit(forget_words, robust=True)
    return changed


def retag(model, tag: Tag, named: Tag) -> int:
    """For things of this model that bear tags by the common table: this tag instead of that one."""
    if tag.pk == named.pk:
        return 0
    mine = TaggedItem.objects.filter(
        content_type__app_label=model._meta.app_label, content_type__model=model._meta.model_name
    )
    there = mine.filter(tag=named).values("object_id")
    both = mine.filter(tag=tag, object_id__in=there).delete()[0]
    return both + mine.filter(tag=tag).update(tag=named)


def _make_synonyms(word: str, name: str) -> None:
    """One group of spellings, joined where there were two."""
    if fold(word) == fold(name):
        return
    groups = {fold(one.word): one.group_id for one in Synonym.objects.select_for_update().order_by("pk")}
    mine, other = groups.get(fold(name)), groups.get(fold(word))
    if mine is None and other is None:
        mine = SynonymGroup.objects.create(note=name[:120]).pk
    elif mine is None:
        mine = other
    elif other is not None and other != mine:
        Synonym.objects.filter(group=other).update(group=mine)
        SynonymGroup.objects.filter(pk=other).delete()
    for one in (name, word):
        if fold(one) not in groups:
            Synonym.objects.create(group_id=mine, word=one[:80])


# --- once a month ------------------------------------------------------------------------------------------------------
def tell_admins() -> int:
    """One mail a month to each admin, if there is anything to tell; return to how many. Any number of workers may run it at
    once: the key of the mail is the month."""
    if not free_tags():
        return 0
    month = timezone.now().strftime("%Y-%m")
    people = list(get_user_model().objects.filter(is_superuser=True, is_active=True).order_by("pk"))
    return mail.queue_many(
        MONTHLY,
        people,
        dedupe_key=lambda person: f"{MONTHLY}:{month}:{person.pk}",
        refs=lambda _person: {"month": month},
    )


def compose_monthly(row) -> mail.MailContent:
    if not row.member.is_superuser or not row.member.is_active:
        raise mail.Withhold("no longer an admin")
    found = free_tags()
    if not found:
        raise mail.Withhold("no tag is used so often any more")
    return mail.MailContent(
        {
            "tags": found[:30],
            "count": len(found),
            "url": settings.SITE_URL + reverse("admin:core_term_free_tags"),
            "why": _("You get this because you look after the vocabulary as an admin."),
        }
    )


mail.register(
    mail.MailKind(
        key=MONTHLY,
        label=_("Free tags that many use"),
        template="core/email/free_tags",
        compose=compose_monthly,
    )
)

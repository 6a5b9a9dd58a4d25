"""Adding, editing, hiding and restoring records. The columns of a record are projections of its CSL-JSON."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core import activity, audit
from kmnet.core.models import Term
from kmnet.core.text import RENDER_VERSION, clean_text, excerpt, render_markdown
from kmnet.core.vocabulary import in_order
from members.models import Group, is_in_group

from .. import csl as csl_json
from ..identifiers import isbn_of, normalise_doi, title_key, url_key
from ..models import Resource, ResourceFile, Story, Tombstone, Visibility
from ..permissions import can_add_resource, can_edit_resource, can_hide_resource
from . import history, reviewing
from .creators import set_creators
from .files import attach_files
from .indexing import write_vectors

MAX_TAGS = 12


class ToldForFewer(ValidationError):
    """Others' stories about it would be opened to more people than they were told to."""


@dataclass
class Details:
    """What a record says: its bibliographic item, and what only this library knows about it."""

    csl: dict
    description: str = ""
    language: str = "en"
    licence: str = "unknown"
    visibility: str = Visibility.PUBLIC
    group: Group | None = None
    files_for: str = ""
    minutes: int | None = None
    terms: Iterable[Term] = ()
    tags: Iterable[str] = field(default_factory=list)
    # Creators who are members: place among the names -> (id of the member, whether the name is the account's)
    members: Mapping[int, tuple[int, bool]] = field(default_factory=dict)


def apply_details(resource: Resource, details: Details) -> None:
    """Set every column that follows from the details; saves nothing."""
    put_words(resource, details.csl)
    _apply_rest(resource, details)


def put_words(resource: Resource, item: dict) -> None:
    """Set the columns that are projections of the bibliographic item; saves nothing."""
    item = csl_json.clean_item(item)
    doi = normalise_doi(item.get("DOI", ""))
    item.pop("DOI", None)
    if doi:
        item["DOI"] = doi
    resource.csl = item
    resource.title = item["title"][:500]
    resource.title_key = title_key(resource.title)
    resource.slug = resource.make_slug()
    resource.creators = csl_json.creators_text(item)
    resource.fuzzy = f"{resource.title_key} {title_key(resource.creators)}"
    resource.year = csl_json.year_of(item)
    resource.doi = doi
    resource.isbn = isbn_of(item)
    resource.url = item.get("URL", "")
    resource.url_key = url_key(resource.url)


def _apply_rest(resource: Resource, details: Details) -> None:
    resource.language = details.language
    resource.description = details.description
    resource.description_html = render_markdown(details.description)
    resource.render_version = RENDER_VERSION
    resource.summary = excerpt(details.description, 300)
    resource.licence = details.licence
    resource.visibility = details.visibility
    resource.group = details.group if details.visibility == Visibility.GROUP else None
    # Files are narrower than a public record only: what only members see has no others to keep out.
    resource.files_for = details.files_for if details.visibility == Visibility.PUBLIC else ""
    resource.minutes = details.minutes


def _check_audience(actor, details: Details, present: int | None = None) -> None:
    """For a group: one that the actor is in, or for which the record is already."""
    if details.visibility != Visibility.GROUP or (details.group and details.group.pk == present):
        return
    if actor is None or details.group is None or not is_in_group(actor, details.group.pk):
        raise PermissionDenied


def _check_stories(actor, resource: Resource, details: Details) -> None:
    """What others told of it was written for those who see it; nobody else opens it to more people. Whoever tells a story
    locks the record, too."""
    group = details.group if details.visibility == Visibility.GROUP else None
    wanted = (details.visibility, group.pk if group else None)
    if not history.is_wider((resource.visibility, resource.group_id), wanted):
        return
    if Story.objects.filter(resource=resource).exclude(Q(author=actor) | Q(mask__author=actor)).exists():
        raise ToldForFewer(
            _("Others have told what became of it, for those who see it now. Add it anew for more people."),
            code="told",
        )


def save_record(resource: Resource) -> None:
    """Save; where another live record holds the DOI, this one cites it without holding it (warned, never blocked).

    A group's record never holds one: what a group keeps must not show in what others can add.
    """
    if resource.visibility == Visibility.GROUP:
        resource.doi = ""
    if resource.doi and resource.state != Resource.State.HIDDEN:
        others = Resource.objects.exclude(pk=resource.pk).exclude(state=Resource.State.HIDDEN)
        if others.filter(doi__iexact=resource.doi).exists():
            resource.doi = ""
    try:
        with transaction.atomic():
            resource.save()
    except IntegrityError as error:
        # Two people add the same DOI in the same moment: the index decides who holds it.
        if "one_live_resource_per_doi" not in str(error):
            raise
        resource.doi = ""
        resource.save()


def _set_words(resource: Resource, details: Details) -> None:
    resource.terms.set(details.terms)
    resource.tags.set(in_order(tags_of(details)))


def tags_of(details: Details) -> list[str]:
    """Its tags as they are kept: each once, whatever its case, and not too many."""
    tags: dict[str, str] = {}
    for tag in details.tags:
        tags.setdefault(tag.casefold(), tag[:100])
    return list(tags.values())[:MAX_TAGS]


def reindex(resources: Iterable[Resource]) -> None:
    """Write the search vectors anew; reads the tags and terms: prefetch them for many."""
    waiting = []
    for resource in resources:
        words = [tag.name for tag in resource.tags.all()] + [term.name for term in resource.terms.all()]
        waiting.append((resource, words))
        if len(waiting) == 200:
            write_vectors(waiting)
            waiting = []
    write_vectors(waiting)


def made_before(*, actor, submit_key: str) -> Resource | None:
    """What an earlier submit of this very form made."""
    try:
        key = uuid.UUID(str(submit_key))
    except ValueError:
        return None
    return Resource.objects.filter(added_by=actor, submit_key=key).first()


@transaction.atomic
def add_resource(
    *,
    actor,
    details: Details,
    files: Iterable[ResourceFile] = (),
    submit_key: uuid.UUID | None = None,
    import_key: str | None = None,
    published_at: datetime | None = None,
    announce: bool = True,
) -> Resource:
    """Put a record into the library; a second submit of the same form gives what the first one made.

    A new member's is held until a moderator has looked (services.reviewing); it is announced when it appears.
    actor None: the community itself (an import by the people who run the place).
    """
    if actor is not None and not can_add_resource(actor):
        raise PermissionDenied
    _check_audience(actor, details)
    if submit_key:
        made = made_before(actor=actor, submit_key=submit_key)
        if made:
            return made
    now = timezone.now()
    resource = Resource(
        added_by=actor,
        keeper=actor,
        submit_key=submit_key,
        import_key=import_key,
        published_at=published_at or now,
        created_at=now,
        updated_at=now,
        state=reviewing.first_state(actor=actor, visibility=details.visibility),
    )
    apply_details(resource, details)
    try:
        with transaction.atomic():
            save_record(resource)
    except IntegrityError as error:  # the button was pressed twice, and the other press was a little faster
        if "one_resource_per_submit" not in str(error):
            raise
        return Resource.objects.get(added_by=actor, submit_key=submit_key)
    _set_words(resource, details)
    set_creators(actor=actor, resource=resource, members=details.members)
    attach_files(actor=actor, resource=resource, files=files)
    reindex([resource])
    if announce and resource.state == Resource.State.VISIBLE:
        activity.record("resources.added", actor=actor, target=resource)
    return resource


@transaction.atomic
def edit_resource(
    *, actor, resource: Resource, details: Details, files: Iterable[ResourceFile] = ()
) -> Resource:
    """Its keeper says it better. The id leads and the slug follows the title; what it said stays in its history. Locks the
    record. Raises PermissionDenied, ToldForFewer."""
    resource = Resource.objects.select_for_update().get(pk=resource.pk)
    if not can_edit_resource(actor, resource):
        raise PermissionDenied
    _check_audience(actor, details, resource.group_id)
    _check_stories(actor, resource, details)
    was_for_few = resource.visibility == Visibility.GROUP
    with history.changing(resource, editor=actor):
        apply_details(resource, details)
        resource.updated_at = timezone.now()
        if was_for_few and resource.state == Resource.State.VISIBLE:
            # Open to others from now on: as if it were added.
            resource.state = reviewing.first_state(actor=actor, visibility=resource.visibility)
        save_record(resource)
        _set_words(resource, details)
        set_creators(actor=actor, resource=resource, members=details.members)
        attach_files(actor=actor, resource=resource, files=files)
    reindex([resource])
    return resource


def need_reason(reason: str) -> str:
    reason = clean_text(reason).strip()
    if not reason:
        raise ValidationError(_("Say why: the reason stands in the log."), code="reason")
    return reason


@transaction.atomic
def hide_resource(*, target: Resource, actor, reason: str) -> None:
    """A moderator takes it out of sight, files included. Logged; hiding twice changes and logs nothing."""
    resource = Resource.objects.select_for_update().get(pk=target.pk)
    if not can_hide_resource(actor, resource):
        raise PermissionDenied
    reason = need_reason(reason)
    if resource.state == Resource.State.HIDDEN:
        return
    put_out_of_sight(resource)
    resource.hidden_at, resource.hidden_by, resource.hidden_reason = timezone.now(), actor, reason
    resource.updated_at = resource.hidden_at  # those who copy us hear of it
    resource.save(
        update_fields=["state", "published_at", "hidden_at", "hidden_by", "hidden_reason", "updated_at"]
    )
    audit.record_act(actor=actor, verb="resources.hidden", target=resource, reason=reason)


@transaction.atomic
def restore_resource(*, target: Resource, actor, reason: str) -> None:
    """Back into sight, as it was; its DOI stays with whichever record took it up meanwhile."""
    resource = Resource.objects.select_for_update().get(pk=target.pk)
    if not can_hide_resource(actor, resource):
        raise PermissionDenied
    reason = need_reason(reason)
    if resource.state == Resource.State.VISIBLE:
        return
    if resource.merged_into_id:
        raise ValidationError(_("It was merged into another one and cannot come back."), code="merged")
    if Tombstone.objects.filter(resource=resource).exists():
        raise ValidationError(_("It was taken down: its page says how it comes back."), code="taken down")
    put_back(resource)
    audit.record_act(actor=actor, verb="resources.restored", target=resource, reason=reason)


def put_out_of_sight(resource: Resource) -> None:
    """Hidden. What was held was never in the library, and nobody is told that it had been. Saves nothing."""
    if resource.state == Resource.State.HELD:
        resource.published_at = None
    resource.state = Resource.State.HIDDEN


def put_back(resource: Resource) -> None:
    """Visible again; new, where it never was before. The caller holds the lock."""
    resource.state, resource.updated_at = Resource.State.VISIBLE, timezone.now()
    resource.published_at = resource.published_at or resource.updated_at
    resource.hidden_at, resource.hidden_by, resource.hidden_reason = None, None, ""
    save_record(resource)

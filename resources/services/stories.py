"""“I used this”: by one tap, or as a story."""

import uuid
from dataclasses import dataclass

from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.search import SearchVector
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Q, TextField, Value
from django.utils import timezone

from kmnet.core import activity, erasing
from kmnet.core.models import Activity
from kmnet.core.search import CONFIG

from ..models import Resource, Story, StoryMask, UsedMark
from ..permissions import can_edit_story, can_hide_story, can_mark_used, can_tell_story, may_take_back_story
from . import hiding
from .records import need_reason

TOLD = "resources.told"
MOST_OF_ONE = 5  # stories by one member about one record


class TooManyStories(Exception):
    """A member tells at most MOST_OF_ONE stories about one record."""


@dataclass(frozen=True)
class Telling:
    """What a story says. `unnamed`: without the author's name to readers."""

    place: str = ""
    people: str = ""
    changed: str = ""
    happened: str = ""
    again: str = ""
    did_not_work: bool = False
    unnamed: bool = False

    @property
    def parts(self) -> dict:
        return {
            "place": self.place,
            "people": self.people,
            "changed": self.changed,
            "happened": self.happened,
            "again": self.again,
            "did_not_work": self.did_not_work,
        }


def told_by(member) -> Q:
    """Which stories are this member's, also those without their name: for their own pages alone."""
    return Q(author=member) | Q(mask__author=member)


@transaction.atomic
def tell_story(*, actor, resource: Resource, telling: Telling, submit_key: uuid.UUID | None = None) -> Story:
    """A story about a record; a second press of the same form gives what the first one made. Locks the record's row
    against going away, and the member's stories about it by that. Raises TooManyStories, PermissionDenied."""
    resource = Resource.objects.select_for_update(of=("self",), no_key=True).get(pk=resource.pk)
    if not can_tell_story(actor, resource):
        raise PermissionDenied
    mine = Story.objects.filter(told_by(actor))
    made = mine.filter(submit_key=submit_key).first() if submit_key else None
    if made is not None:
        return made
    if mine.filter(resource=resource).count() >= MOST_OF_ONE:
        raise TooManyStories
    story = Story(
        resource=resource,
        author=None if telling.unnamed else actor,
        submit_key=submit_key,
        created_at=timezone.now(),
        **telling.parts,
    )
    try:
        with transaction.atomic():
            story.save()
    except IntegrityError as error:  # the key of somebody else's form: it says nothing about this one
        if "submit_key" not in str(error):
            raise
        story.submit_key = None
        story.save()
    if telling.unnamed:
        StoryMask.objects.create(story=story, author=actor)
    _reindex(story)
    # A deed without a name: whoever is told of it must not learn who told the story.
    activity.record(TOLD, actor=None if telling.unnamed else actor, target=resource, data={"story": story.pk})
    return story


@transaction.atomic
def edit_story(*, actor, story: Story, telling: Telling) -> Story:
    """Its author says it better, puts their name to it or takes it away. Locks the story."""
    story = _lock(story)
    if not can_edit_story(actor, story):
        raise PermissionDenied
    for name, value in telling.parts.items():
        setattr(story, name, value)
    story.edited_at = timezone.now()
    if telling.unnamed and story.author_id:
        _forget_deeds(story)  # they name who told it
        story.author = None
        StoryMask.objects.get_or_create(story=story, defaults={"author": actor})
    elif not telling.unnamed and not story.author_id:
        StoryMask.objects.filter(story=story).delete()
        story.author = actor
    story.save()
    _reindex(story)
    return story


@transaction.atomic
def take_back_story(*, actor, story: Story) -> None:
    """Its author takes it back: it is gone, with what was told of it."""
    story = Story.objects.select_for_update(of=("self",)).filter(pk=story.pk).first()
    if story is None:  # pressed twice
        return
    if not may_take_back_story(actor, story):
        raise PermissionDenied
    _forget_deeds(story)
    erasing.forget_targets([story])
    story.delete()


def _forget_deeds(story: Story) -> None:
    erasing.forget_deeds(
        Activity.objects.filter(
            verb=TOLD,
            target_type=ContentType.objects.get_for_model(Resource),
            target_id=story.resource_id,
            data__story=story.pk,
        )
    )


def _lock(story: Story) -> Story:
    return Story.objects.select_for_update(of=("self",)).select_related("resource").get(pk=story.pk)


def _reindex(story: Story) -> None:
    """What happened and what was changed weigh more than where it was."""

    def vector(text: str, weight: str) -> SearchVector:
        return SearchVector(Value(text, output_field=TextField()), config=CONFIG, weight=weight)

    Story.objects.filter(pk=story.pk).update(
        search=vector(f"{story.happened} . {story.changed}", "A")
        + vector(f"{story.place} . {story.people}", "B")
    )


# --- moderation ------------------------------------------------------------------------------------------------------
@transaction.atomic
def hide_story(*, target: Story, actor, reason: str) -> None:
    """A moderator takes it out of sight; logged. Hiding twice changes and logs nothing."""
    story = _lock(target)
    if not can_hide_story(actor, story):
        raise PermissionDenied
    hiding.put_out_of_sight(story, actor=actor, reason=need_reason(reason), verb="resources.story_hidden")


@transaction.atomic
def restore_story(*, target: Story, actor, reason: str) -> None:
    story = _lock(target)
    if not can_hide_story(actor, story):
        raise PermissionDenied
    hiding.put_back(story, actor=actor, reason=need_reason(reason), verb="resources.story_restored")


# --- one tap ---------------------------------------------------------------------------------------------------------
@transaction.atomic
def mark_used(*, actor, resource: Resource, on: bool) -> None:
    """“I used this”, or not after all. Said twice it is said once; nobody is told who."""
    resource = Resource.objects.select_for_update(of=("self",), no_key=True).get(pk=resource.pk)
    if not on:
        UsedMark.objects.filter(member=actor, resource=resource).delete()
        return
    if not can_mark_used(actor, resource):
        raise PermissionDenied
    UsedMark.objects.bulk_create([UsedMark(member=actor, resource=resource)], ignore_conflicts=True)

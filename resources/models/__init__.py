"""The tables of the library."""

from .care import (
    HandOver,
    ImportBatch,
    LibrarySettings,
    ResourceEdit,
    ResourceUse,
    Tombstone,
    UsageDay,
    UsageEvent,
    UsedMark,
)
from .collections import Collection, CollectionItem, SavedResource, SavedSearch
from .creators import ResourceCreator
from .files import ResourceFile, ResourceText, file_storage, stored_name, thumbnail_name
from .harvest import HarvestRecord
from .lookups import DoiRecord, LibraryWord, LinkCheck, LinkRecord
from .resource import (
    KIND_ICONS,
    LANGUAGE_NAMES,
    LANGUAGES,
    NO_TIME,
    Resource,
    ResourceQuerySet,
    ResourceTag,
    ResourceTerm,
    Visibility,
    audience_rule,
    files_rule,
)
from .stories import Story, StoryMask
from .versions import Derivative, Relation, ResourceVersion

__all__ = [
    "KIND_ICONS",
    "LANGUAGES",
    "LANGUAGE_NAMES",
    "NO_TIME",
    "Collection",
    "CollectionItem",
    "Derivative",
    "DoiRecord",
    "HandOver",
    "HarvestRecord",
    "ImportBatch",
    "LibrarySettings",
    "LibraryWord",
    "LinkCheck",
    "LinkRecord",
    "Relation",
    "Resource",
    "ResourceCreator",
    "ResourceEdit",
    "ResourceFile",
    "ResourceQuerySet",
    "ResourceTag",
    "ResourceTerm",
    "ResourceText",
    "ResourceUse",
    "ResourceVersion",
    "SavedResource",
    "SavedSearch",
    "Story",
    "StoryMask",
    "Tombstone",
    "UsageDay",
    "UsageEvent",
    "UsedMark",
    "Visibility",
    "audience_rule",
    "file_storage",
    "files_rule",
    "stored_name",
    "thumbnail_name",
]

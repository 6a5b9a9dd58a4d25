"""Forms of the library: they clean what was typed, and save nothing."""

from .derivatives import DerivativeForm, MakingForm, initial_from_parent
from .fields import DoiField, FilesField, FilesInput, WebAddressField
from .files import FormWithFiles
from .record import (
    ResourceForm,
    initial_from_item,
    initial_from_known,
    initial_from_resource,
    source_field,
)
from .stories import StoryForm, initial_from_story
from .versions import VersionForm
from .ways import StartForm

__all__ = [
    "DerivativeForm",
    "DoiField",
    "FilesField",
    "FilesInput",
    "FormWithFiles",
    "MakingForm",
    "ResourceForm",
    "StoryForm",
    "VersionForm",
    "WebAddressField",
    "initial_from_item",
    "initial_from_parent",
    "StartForm",
    "initial_from_known",
    "initial_from_resource",
    "initial_from_story",
    "source_field",
]

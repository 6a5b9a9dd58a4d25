"""Forms of the library: they clean what was typed, and save nothing."""

from .fields import DoiField, FilesField, FilesInput, WebAddressField
from .files import FormWithFiles
from .record import (
    ResourceForm,
    initial_from_item,
    initial_from_resource,
    source_field,
)
from .ways import DoiForm

__all__ = [
    "DoiField",
    "DoiForm",
    "FilesField",
    "FilesInput",
    "FormWithFiles",
    "ResourceForm",
    "WebAddressField",
    "initial_from_item",
    "initial_from_resource",
    "source_field",
]

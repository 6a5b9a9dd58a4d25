"""Every write of the library."""

from .files import attach_files, keep_upload, remove_file, sweep_abandoned_files
from .importing import import_bibtex
from .leaving import forget_adder
from .records import (
    Details,
    add_resource,
    edit_resource,
    hide_resource,
    made_before,
    reindex,
    restore_resource,
)

__all__ = [
    "Details",
    "add_resource",
    "attach_files",
    "edit_resource",
    "forget_adder",
    "hide_resource",
    "import_bibtex",
    "keep_upload",
    "made_before",
    "reindex",
    "remove_file",
    "restore_resource",
    "sweep_abandoned_files",
]

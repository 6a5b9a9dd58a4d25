"""Every write of the library."""

from .collections import (
    change_collection,
    collect,
    delete_collection,
    hide_collection,
    make_collection,
    place_item,
    restore_collection,
    say_why,
    take_out,
)
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
from .saves import set_saved

__all__ = [
    "Details",
    "add_resource",
    "attach_files",
    "change_collection",
    "collect",
    "delete_collection",
    "edit_resource",
    "forget_adder",
    "hide_collection",
    "hide_resource",
    "import_bibtex",
    "keep_upload",
    "made_before",
    "make_collection",
    "place_item",
    "reindex",
    "remove_file",
    "restore_collection",
    "restore_resource",
    "say_why",
    "set_saved",
    "sweep_abandoned_files",
    "take_out",
]

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
from .history import redact_edit
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
from .reviewing import release_resource
from .saves import set_saved
from .searches import change_search, delete_search, save_search, tell_what_is_new
from .taking_down import delete_own, take_down, undo_take_down

__all__ = [
    "Details",
    "add_resource",
    "attach_files",
    "change_collection",
    "change_search",
    "collect",
    "delete_collection",
    "delete_search",
    "delete_own",
    "edit_resource",
    "forget_adder",
    "hide_collection",
    "hide_resource",
    "import_bibtex",
    "keep_upload",
    "made_before",
    "make_collection",
    "place_item",
    "redact_edit",
    "reindex",
    "release_resource",
    "remove_file",
    "restore_collection",
    "restore_resource",
    "save_search",
    "say_why",
    "set_saved",
    "sweep_abandoned_files",
    "take_out",
    "tell_what_is_new",
    "take_down",
    "undo_take_down",
]

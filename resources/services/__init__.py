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
from .creators import forget_creator, take_link_off
from .derivatives import (
    Making,
    NoChains,
    TooManyDerivatives,
    change_derivative,
    make_derivative,
    tie_derivative,
    untie_derivative,
)
from .files import attach_files, describe_file, doom_files, keep_upload, remove_file, sweep_abandoned_files
from .handing_on import give_up_in_group
from .history import redact_edit
from .importing import import_bibtex
from .leaving import forget_adder
from .records import (
    Details,
    ToldForFewer,
    add_resource,
    edit_resource,
    hide_resource,
    made_before,
    reindex,
    restore_resource,
)
from .relations import InCircles, TooManyRelations, relate, unrelate
from .reviewing import release_resource
from .saves import set_saved
from .searches import change_search, delete_search, save_search, tell_what_is_new
from .stories import (
    Telling,
    TooManyStories,
    edit_story,
    hide_story,
    mark_used,
    restore_story,
    take_back_story,
    tell_story,
    told_by,
)
from .taking_down import delete_own, take_down, undo_take_down
from .versions import NewerMeanwhile, NoMoreVersions, make_version

__all__ = [
    "Details",
    "InCircles",
    "Making",
    "NewerMeanwhile",
    "NoChains",
    "NoMoreVersions",
    "Telling",
    "TooManyDerivatives",
    "TooManyRelations",
    "ToldForFewer",
    "TooManyStories",
    "add_resource",
    "attach_files",
    "change_collection",
    "change_derivative",
    "change_search",
    "collect",
    "delete_collection",
    "delete_own",
    "delete_search",
    "describe_file",
    "doom_files",
    "edit_resource",
    "edit_story",
    "forget_adder",
    "hide_collection",
    "forget_creator",
    "hide_resource",
    "hide_story",
    "give_up_in_group",
    "import_bibtex",
    "keep_upload",
    "made_before",
    "make_collection",
    "make_derivative",
    "make_version",
    "mark_used",
    "place_item",
    "redact_edit",
    "reindex",
    "relate",
    "release_resource",
    "remove_file",
    "restore_collection",
    "restore_resource",
    "restore_story",
    "save_search",
    "say_why",
    "set_saved",
    "sweep_abandoned_files",
    "take_back_story",
    "take_down",
    "take_out",
    "tell_story",
    "tell_what_is_new",
    "tie_derivative",
    "told_by",
    "undo_take_down",
    "unrelate",
    "untie_derivative",
    "take_link_off",
]

"""The pages of the library."""

from .adding import (
    add,
    edit,
    list_of,
    list_status,
    lists,
    look_up,
    look_up_status,
    take_link_off,
)
from .collections import (
    collect,
    collection,
    collection_arrange,
    collection_delete,
    collection_edit,
    collection_new,
    collection_print,
    collections,
)
from .derivatives import derivative, derive, plain_words, untie
from .detail import detail
from .files import file, file_page, remove_file
from .index import index
from .relations import links, unlink
from .saving import save, saved
from .searches import search_delete, search_edit, search_new, searches
from .stories import edit_story, stories, take_back_story, tell, used
from .versions import new_version, version

__all__ = [
    "add",
    "collect",
    "collection",
    "collection_arrange",
    "collection_delete",
    "collection_edit",
    "collection_new",
    "collection_print",
    "collections",
    "derivative",
    "derive",
    "detail",
    "edit",
    "edit_story",
    "file",
    "file_page",
    "index",
    "links",
    "list_of",
    "list_status",
    "lists",
    "look_up",
    "new_version",
    "plain_words",
    "look_up_status",
    "remove_file",
    "save",
    "saved",
    "search_delete",
    "search_edit",
    "search_new",
    "searches",
    "stories",
    "take_back_story",
    "tell",
    "unlink",
    "untie",
    "used",
    "version",
    "take_link_off",
]

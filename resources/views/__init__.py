"""The pages of the library."""

from .adding import add, doi_status, edit, look_up
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
from .detail import detail
from .files import file, remove_file
from .index import index
from .pages import export
from .saving import save, saved
from .searches import search_delete, search_edit, search_new, searches

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
    "detail",
    "doi_status",
    "edit",
    "export",
    "file",
    "index",
    "look_up",
    "remove_file",
    "save",
    "saved",
    "search_delete",
    "search_edit",
    "search_new",
    "searches",
]

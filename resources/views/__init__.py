"""The pages of the library."""

from .adding import add, doi_status, edit, look_up
from .files import file, remove_file
from .pages import detail, export, index

__all__ = [
    "add",
    "detail",
    "doi_status",
    "edit",
    "export",
    "file",
    "index",
    "look_up",
    "remove_file",
]

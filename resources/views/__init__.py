"""The pages of the library."""

from .adding import add, doi_status, edit, look_up
from .detail import detail
from .files import file, remove_file
from .pages import export, index

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

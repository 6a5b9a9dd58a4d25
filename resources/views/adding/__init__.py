"""Adding and editing: by DOI, by link, by file or by a list; nothing typed is lost on the way."""

from .form import add, edit, take_link_off
from .lists import list_of, list_status, lists
from .start import look_up, look_up_status

__all__ = ["add", "edit", "list_of", "list_status", "lists", "look_up", "look_up_status", "take_link_off"]

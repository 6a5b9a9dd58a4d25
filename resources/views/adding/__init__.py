"""Adding and editing: by DOI, by link, by file or by a list; nothing typed is lost on the way."""

from .form import add, edit, take_link_off
from .start import look_up, look_up_status

__all__ = ["add", "edit", "look_up", "look_up_status", "take_link_off"]

"""Finding things in the library.

finder.py    one look: what the address asks, what is found, its facets with counts, its pages
formats.py   what kinds of files there are, for the facet
spelling.py  what a mistyped word may have meant
related.py   what goes well with a record, and with a question that somebody asked
"""

from .finder import Finder
from .related import related_to

__all__ = ["Finder", "related_to"]

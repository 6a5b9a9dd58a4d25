"""Finding things in the library.

- finder.py: one look: what the address asks, what is found, its facets, its pages
- counting.py: how many there are with each value of each facet
- own_facets.py: the facets that are not of the vocabulary
- best.py: the few best matches, for the search over everything
- formats.py: what kinds of files there are, for the facet
- spelling.py: what a mistyped word may have meant
- related.py: what goes well with a record, and with a question that somebody asked
"""

from .best import best_of
from .finder import Finder
from .related import helps_with, related_to

__all__ = ["Finder", "best_of", "helps_with", "related_to"]

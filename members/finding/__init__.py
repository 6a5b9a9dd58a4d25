"""The directory: what the address asks, who is found, and how many there are of each kind.

Filters and counts read DirectoryEntry, in which nothing stands that its owner hides; those who keep the viewer away, and
those who share a group with them, are asked at their own level. So nobody is found or counted by what they hide.

kinds: the facets. circle: what this viewer may ask. look: one look into it. people: the cards. counts: how many of
each. by_country: the same by country. sql, limits: what they share."""

from .by_country import count_countries
from .circle import Circle
from .counts import LABELS_KEY
from .kinds import KINDS
from .look import SORTS, Finding

__all__ = ["KINDS", "LABELS_KEY", "SORTS", "Circle", "Finding", "count_countries"]

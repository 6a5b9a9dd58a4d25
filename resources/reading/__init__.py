"""Looking into files of strangers: the words in them, their title, a picture of the first page.

What reads them (`confined`) is a process of its own, with caps on memory and time, no secrets, no file but the one it is
given, and no network; `process` starts it, listens with patience, and believes nothing that it says. This package is
imported in that process, too, so neither it nor `confined` may import Django or anything of the site.
"""

from .looked import Looked
from .process import Patience, count_pages, look_into

__all__ = ["Looked", "Patience", "count_pages", "look_into"]

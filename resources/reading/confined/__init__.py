"""The process that opens files of strangers. It reads its standard input, says what it finds, and ends.

What it says is one JSON object a line, most important first, so that a file that ends the process late has told its words
before. Whatever happens here happens to nobody else: see `walls`.
"""

import sys

from .. import looked
from . import kinds, walls
from .saying import Unreadable, say


def main(seconds: float, *, counts: bool = False) -> None:
    """counts: how many pages a PDF has, and nothing else, within less memory."""
    content = walls.open_the_file()
    look = kinds.reader_of(content)
    try:
        if look is None or (counts and not hasattr(look, "count")):
            raise Unreadable("kind")
        look.warm_up()  # what it imports only when needed, it needs now
        memory = looked.COUNT_MEMORY if counts else looked.MAX_MEMORY
        walls.close_in(size=len(content), seconds=seconds, memory=memory)
        look.count(content) if counts else look.look(content)
        say(done=True)
    except Unreadable as error:
        say(reason=error.args[0], done=True)
    except MemoryError:
        say(reason="memory", done=True)
    except Exception:  # whatever parsers raise: it is about the file
        say(reason="damaged", done=True)
    sys.stdout.flush()
    walls.leave()

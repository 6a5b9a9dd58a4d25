"""What the process takes from itself before it looks at a file: memory, time, files, network, other processes."""

import ctypes
import io
import mmap
import os
import resource
import sys

from ..looked import MAX_CPU

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, SIGKILL = 1, 38, 9


def open_the_file() -> mmap.mmap | bytes:
    """Standard input, laid into memory page by page as it is read: a large file takes no more than what is looked at."""
    size = os.fstat(0).st_size
    return mmap.mmap(0, size, access=mmap.ACCESS_COPY) if size else b""


def as_a_file() -> io.BufferedReader:
    """The same, for whoever wants to seek and read."""
    return io.BufferedReader(io.FileIO(0, closefd=False))


def close_in(*, size: int, seconds: float, memory: int) -> None:
    """From here on: so much memory and time, nothing written, nothing opened, nothing started."""
    _limit("RLIMIT_CPU", min(MAX_CPU, int(seconds) + 1))
    _limit("RLIMIT_CORE", 0)
    _limit("RLIMIT_FSIZE", 0)
    _limit("RLIMIT_AS", memory + size)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_PDEATHSIG, SIGKILL)  # a worker that is killed takes us along
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _limit("RLIMIT_NPROC", 0)
    _limit("RLIMIT_NOFILE", 0)  # what is open stays open: the way out. No file, no socket comes to it.


def _limit(name: str, most: int) -> None:
    kind = getattr(resource, name, None)
    if kind is None:
        return
    try:
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
    except (OSError, ValueError):  # a system that knows the limit and does not keep it
        pass


def leave() -> None:
    """Without a word to whatever the parsers have left behind: they tidy up in ways that crash."""
    os._exit(0)

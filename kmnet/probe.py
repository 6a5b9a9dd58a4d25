"""Health checks of the containers: `python -m kmnet.probe web|worker|beat|mail` ends with code 0 where all is well.

Each asks its own process only. What is wrong elsewhere is told by /readyz, and restarting this one would not mend it.
"""

import http.client
import socket
import sys
import time
from pathlib import Path

BEAT_SCHEDULE = Path("/tmp/beat-schedule")
BEAT_WRITES_EVERY = 180  # seconds, Celery's own rhythm


def web(host: str = "127.0.0.1", port: int = 8000) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def worker() -> bool:
    """Through the broker: a worker that lost it gets no work either."""
    from kmnet.celery import app  # the others do without Celery

    own_name = f"celery@{socket.gethostname()}"
    try:
        return bool(app.control.inspect(destination=[own_name], timeout=10).ping())
    except Exception:  # whatever the broker's library raises
        return False


def beat(schedule: Path = BEAT_SCHEDULE) -> bool:
    """Its file (whose ending depends on the system's dbm) is written as long as it beats."""
    written = [path.stat().st_mtime for path in schedule.parent.glob(f"{schedule.name}*")]
    return bool(written) and time.time() - max(written) < 2 * BEAT_WRITES_EVERY + 60


def mail(host: str = "127.0.0.1", port: int = 8024) -> bool:
    """It greets, as a mail server does."""
    try:
        with socket.create_connection((host, port), timeout=5) as connection:
            connection.settimeout(5)
            return connection.recv(4).startswith(b"220")
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if {"web": web, "worker": worker, "beat": beat, "mail": mail}[sys.argv[1]]() else 1)

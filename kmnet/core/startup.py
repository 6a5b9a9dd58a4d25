"""What is looked at once, when a web server or a worker starts, because it needs the database."""

import gc
import logging

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import DatabaseError, InterfaceError, connection

logger = logging.getLogger(__name__)

DEMO_DOMAIN = "demo.kmnet.example"  # all the world knows the password of an account there


def refuse_demo_accounts() -> None:
    """End this process where a production site holds accounts of the demo that can sign in.

    SystemExit, since Celery swallows an Exception of a signal's receiver. A database that is away refuses nothing: it
    may be back before the first request, and the site must then come up by itself.
    """
    if not settings.PRODUCTION:
        return
    try:
        found = get_user_model().objects.filter(email__iendswith=f"@{DEMO_DOMAIN}", is_active=True).exists()
    except (DatabaseError, InterfaceError):
        logger.warning("the database is away or not migrated: demo accounts were not looked for")
        return
    finally:
        connection.close()  # the process that looked may be about to fork
    if found:
        raise SystemExit(
            f"kmnet refuses to start: this production site holds accounts at {DEMO_DOMAIN}, whose password is public. "
            "Remove them, or set KMNET_DEMO=1 if this is a demo."
        )


def keep_what_is_loaded() -> None:
    """Once all is imported: what is there stays, so the collector of garbage need not walk through it at every turn; and
    its turns come when more has been made than one page makes. A full turn over everything took 75 ms of a page."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)

"""Has anything changed that a guest may see? Asked by the pages that are kept for guests (guest_pages.py).

Each transaction that writes to one of our tables leaves one row in `core_publicchange`: a trigger does it, so no service
can forget. The row is seen when the transaction is, not before and not after; what was hidden is hidden at once. There is
no lock in it. Tables that are not written by what guests see are exempt; a new table is not, until somebody says so here.
"""

from django.apps import apps
from django.db import connection

from .fixed import Prepared

OURS = {"core", "hub", "members", "discussions", "events", "resources", "taggit"}
# Written while reading, or by the machinery: no page of a guest shows them.
EXEMPT = {
    *("discussions_readstate", "discussions_threadwatch", "discussions_caughtup", "discussions_draft"),
    *("discussions_bookmark", "discussions_quietthanks", "discussions_thanksmonth"),
    *("hub_digestrun", "hub_digestschedule", "events_registrationlog"),
    *("resources_savedresource", "resources_savedsearch", "resources_usageevent", "resources_usageday"),
    *("resources_usedmark", "resources_importbatch", "resources_handover"),
    *(
        "resources_storymask",
        "resources_doirecord",
        "resources_linkrecord",
        "resources_resourceedit",
        "resources_libraryword",
        "resources_harvestrecord",
    ),
    *(
        "core_notification",
        "core_outgoingmail",
        "core_devmail",
        "core_mailchoice",
        "core_heartbeat",
        "core_jobstate",
        "core_receivedmail",
        "core_replyaddress",
        "core_mailhabits",
        "core_suppressedaddress",
        "core_mailreturn",
        "core_doomedfile",
    ),
}

# The sum tells apart what the largest number does not: a transaction that began early and ended late.
_version = Prepared("SELECT count(*), max(id), sum(id)::bigint FROM core_publicchange", ())


def version() -> tuple:
    """Another one after each commit that changed something. One question to the database."""
    return _version.rows(())[0]


def sweep() -> None:
    """All but the latest go; so the question stays cheap."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_publicchange WHERE id < (SELECT max(id) FROM core_publicchange)")


def noted_tables() -> set[str]:
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in OURS]
    return {model._meta.db_table for model in models if model._meta.managed} - EXEMPT


def note_all_tables(**_signal) -> None:
    """After each migration: the tables that are new, and those no longer exempt, get their trigger."""
    with connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
        cursor.execute("SELECT to_regproc('note_public_change')")
        if cursor.fetchone()[0] is None:  # migrated back to before
            return
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'public_change'")
        having = {name.strip('"') for (name,) in cursor.fetchall()}
        wanted = noted_tables() & present
        for table in sorted(wanted - having):
            cursor.execute(
                f'CREATE TRIGGER public_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON "{table}" '
                "FOR EACH STATEMENT EXECUTE FUNCTION note_public_change()"
            )
        for table in sorted(having - wanted):
            cursor.execute(f'DROP TRIGGER public_change ON "{table}"')

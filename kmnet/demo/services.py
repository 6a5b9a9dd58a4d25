"""Load the demo, once."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.utils import timezone

from kmnet.core import activity
from kmnet.core.models import Activity, CommunitySettings, OutgoingMail
from kmnet.core.vocabulary import load_vocabulary
from kmnet.hub.services import bring_forward
from members.models import Member

from .circles import load_circles
from .clock import at
from .conversations import load_conversations
from .door import load_door
from .gatherings import load_gatherings
from .letters import load_letters
from .people import DOMAIN, load_people
from .reactions import load_reactions
from .shelf import add_recording, load_shelf
from .shelf_life import load_shelf_life
from .ties import load_ties

LOCK = 7_230_160_060  # one loader at a time
ACCOUNTS = ("admin", "moderator", "organiser", "member", "newcomer")


class NotEmpty(Exception):
    """Real people are in this database: it is no place for invented ones."""


@transaction.atomic
def load_demo() -> bool:
    """Load everything, or nothing; False where it is there already. Takes an advisory lock.

    Raises NotEmpty in the database of a real community.

    Everything goes through the services of the apps, so that the demo obeys every rule that people do. Its mails are
    not sent, but for those to the five accounts, whose inboxes shall look lived in.
    """
    if not settings.KMNET_DEMO:
        raise ImproperlyConfigured("Demo accounts exist only where KMNET_DEMO=1.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    if Member.objects.filter(email=f"admin@{DOMAIN}").exists():
        return False
    if Member.objects.exists():
        raise NotEmpty("This database holds members already; the demo goes only into an empty one.")
    now = timezone.now()
    if not CommunitySettings.objects.exists():
        CommunitySettings(
            postal_address="kmnet, 1 Demonstration Road, Norwich NR1 1AA, United Kingdom"
        ).save()
    load_vocabulary()
    people = load_people(now=now)
    load_door(people=people, now=now)
    load_shelf(people=people, now=now)
    recording = add_recording(people=people, now=now)
    load_gatherings(people=people, recording=recording.get_absolute_url(), now=now)
    load_conversations(people=people, now=now)
    load_reactions(people=people, now=now)
    load_ties(people=people, now=now)
    load_circles(people=people, now=now)
    load_shelf_life(people=people, now=now)
    load_letters(people=people, now=now)
    for pk, when in Activity.objects.waiting().order_by("at", "pk").values_list("pk", "at"):
        with at(when):
            activity.fan_out(activity_id=pk)
    for account in Member.objects.filter(email__in=[f"{name}@{DOMAIN}" for name in ACCOUNTS]).order_by("pk"):
        bring_forward(member=account)  # nobody should have to wait for Tuesday to see a digest
    _keep_quiet()
    return True


def _keep_quiet() -> None:
    """A hundred and fifty people need no mail about what happened before anybody started the demo."""
    accounts = [f"{name}@{DOMAIN}" for name in ACCOUNTS]
    OutgoingMail.objects.waiting().exclude(member__email__in=accounts).update(
        state="withheld", reason="part of the demo data: it happened before the demo was started", secret=""
    )

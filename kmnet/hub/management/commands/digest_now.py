from django.core.management.base import BaseCommand, CommandError

from kmnet.hub.services import bring_forward
from members.models import Member


class Command(BaseCommand):
    help = "Queue a member's digest now instead of on its day. There is one a day at most, and none that is empty."

    def add_arguments(self, parser):
        parser.add_argument("email")

    def handle(self, *args, email, **options):
        member = Member.objects.filter(email__iexact=email).first()
        if member is None:
            raise CommandError(f"There is no member with the address {email}.")
        queued = bring_forward(member=member)
        self.stdout.write("Queued." if queued else "Nothing queued: they have had one today, or want none.")

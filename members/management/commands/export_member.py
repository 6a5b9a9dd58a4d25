"""manage.py export_member HANDLE FILE: the copy for somebody who cannot sign in, to be handed over by a safe way."""

from django.core.management.base import BaseCommand, CommandError

from kmnet.core import audit
from members.models import Member
from members.services.exporting import write_copy


class Command(BaseCommand):
    help = "Write everything that is held about a member into a ZIP file."

    def add_arguments(self, parser):
        parser.add_argument("handle")
        parser.add_argument("file")

    def handle(self, *, handle, file, **options):
        member = Member.objects.filter(handle__iexact=handle).exclude(status="erased").first()
        if member is None:
            raise CommandError(f"no member has the handle {handle}")
        with open(file, "xb") as out:
            write_copy(member, out)
        audit.record_act(actor=None, verb="members.copy_made_by_operator", target=member)
        self.stdout.write(f"written to {file}")

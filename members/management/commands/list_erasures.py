"""manage.py list_erasures > FILE: the accounts that were deleted, one a line, to be kept apart from the backups."""

from django.core.management.base import BaseCommand

from members.models import Erasure
from members.services.leaving import erasure_line


class Command(BaseCommand):
    help = "Print the accounts that were deleted, for replay_erasures."

    def handle(self, **options):
        for erasure in Erasure.objects.order_by("pk"):
            self.stdout.write(erasure_line(erasure))

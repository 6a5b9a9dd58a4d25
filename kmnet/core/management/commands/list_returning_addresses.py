"""manage.py list_returning_addresses > FILE: the addresses that get no mail, one a line, to be kept apart from backups."""

from django.core.management.base import BaseCommand

from kmnet.core import bounces


class Command(BaseCommand):
    help = "Print the hashes of the addresses that return mail, for replay_returning_addresses."

    def handle(self, *args, **options):
        for line in bounces.list_suppressed():
            self.stdout.write(line)

"""After a scanner was given up: what still waits for it is opened."""

from django.core.management.base import BaseCommand, CommandError

from resources.services import scanning


class Command(BaseCommand):
    help = "Open the files that wait for a scanner which is not there any more (CLAMD_ADDRESS is unset)."

    def handle(self, **options):
        try:
            opened = scanning.open_without_scanner()
        except ValueError as error:
            raise CommandError("CLAMD_ADDRESS is set: the files are being scanned.") from error
        self.stdout.write(f"{opened} files opened")

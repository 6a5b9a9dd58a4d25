"""manage.py replay_returning_addresses FILE: after a backup was restored, and before the site goes live again."""

from django.core.management.base import BaseCommand, CommandError

from kmnet.core import bounces


class Command(BaseCommand):
    help = "Send no mail to the addresses that were known to return it after the backup was made."

    def add_arguments(self, parser):
        parser.add_argument("file", help="what list_returning_addresses printed")

    def handle(self, *args, **options):
        try:
            with open(options["file"], encoding="utf-8") as lines:
                changed = bounces.replay_suppressed(lines)
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{changed} addresses get no mail that did in this backup.")

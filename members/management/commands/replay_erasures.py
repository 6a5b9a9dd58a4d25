"""manage.py replay_erasures FILE: after a backup was restored, and before the site goes live again."""

from django.core.management.base import BaseCommand, CommandError

from members.services import replay_erasures


class Command(BaseCommand):
    help = "Delete again the accounts that were deleted after the backup was made."

    def add_arguments(self, parser):
        parser.add_argument("file", help="what list_erasures printed, or the file that ERASURE_LIST names")

    def handle(self, *, file, **options):
        try:
            with open(file, encoding="utf-8") as lines:
                done = replay_erasures(lines)
        except (OSError, ValueError, KeyError) as error:
            raise CommandError(f"{file}: {error}") from error
        self.stdout.write(
            f"{done['erased']} deleted again, {done['already']} were deleted already, "
            f"{done['unknown']} are not in this database"
        )

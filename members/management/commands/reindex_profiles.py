from django.core.management.base import BaseCommand

from members.services import reindex_profiles


class Command(BaseCommand):
    help = (
        "Write anew by which words each profile is found; after a change of the vocabulary. Safe to repeat."
    )

    def handle(self, *args, **options):
        self.stdout.write(f"{reindex_profiles()} profiles")

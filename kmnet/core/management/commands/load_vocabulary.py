from pathlib import Path

from django.core.management.base import BaseCommand

from kmnet.core.vocabulary import STARTER, load_vocabulary


class Command(BaseCommand):
    help = "Load facets, terms and synonyms (the starter vocabulary, or a file of the same form). Safe to repeat."

    def add_arguments(self, parser):
        parser.add_argument("file", nargs="?", type=Path, default=STARTER)

    def handle(self, *args, file, **options):
        added = load_vocabulary(file)
        self.stdout.write(", ".join(f"{count} {what} added" for what, count in added.items()))

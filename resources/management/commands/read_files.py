"""Reading files for the search, now or anew."""

from django.core.management.base import BaseCommand

from resources.models import ResourceFile
from resources.services import reading


class Command(BaseCommand):
    help = "Read the files that wait for it; with --again all of them are read anew, by the worker."

    def add_arguments(self, parser):
        parser.add_argument("--again", action="store_true")

    def handle(self, *, again: bool, **options):
        if again:
            count = reading.read_again(files=ResourceFile.objects.open_to_readers())
            self.stdout.write(f"{count} files will be read")
            return
        self.stdout.write(f"{reading.read_due_files()} files read")

from pathlib import Path

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError

from members.models import Member
from resources.formats import NotReadable
from resources.models import Visibility
from resources.services import import_bibtex


class Command(BaseCommand):
    help = "Take a BibTeX file into the library. Safe to repeat: what is there already stays as it is."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--as", dest="address", help="e-mail address of the member who adds them")
        parser.add_argument(
            "--visibility", choices=Visibility.values, default=Visibility.PUBLIC, help="who may see them"
        )
        parser.add_argument("--dry-run", action="store_true", help="report only, save nothing")

    def handle(self, *, file: Path, address, visibility, dry_run, verbosity, **options):
        try:
            data = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        actor = None
        if address:
            actor = Member.objects.filter(email__iexact=address).first()
            if actor is None:
                raise CommandError(f"No member has the address {address}.")
        try:
            report = import_bibtex(data, actor=actor, visibility=visibility, dry_run=dry_run)
        except PermissionDenied as error:
            raise CommandError(f"{address} may not add to the library. Nothing was imported.") from error
        except NotReadable as error:
            raise CommandError(f"{file}: {error} Nothing was imported.") from error
        for word, rows in (("skipped", report.skipped), ("repaired", report.repaired)):
            for line, key, reason in rows:
                self.stdout.write(f"{word} line {line} {key or '?'}: {reason}")
        if verbosity > 1:
            for line, key, title in report.unchanged:
                self.stdout.write(f"unchanged line {line} {key}: {title}")
        repaired = len({line for line, _key, _words in report.repaired})
        self.stdout.write(
            f"{len(report.added)} added ({repaired} repaired), {len(report.unchanged)} unchanged, "
            f"{len(report.skipped)} skipped" + (" (dry run, nothing saved)" if dry_run else "")
        )

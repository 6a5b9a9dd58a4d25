"""manage.py retention [--dry-run]: what is kept too long goes; the schedule does the same once a day."""

from django.core.management.base import BaseCommand

from kmnet.core import retention


class Command(BaseCommand):
    help = "Delete what is kept longer than settings.RETENTION_DAYS says."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")

    def handle(self, *, dry_run, **options):
        done = retention.run(dry_run=dry_run)
        for job in retention.jobs():
            days = retention.days(job.key)
            if not days:
                self.stdout.write(f"{job.key}: off")
            elif job.key not in done:
                self.stderr.write(f"{job.key}: failed, see the log")
            else:
                verb = "would be" if dry_run else "were"
                self.stdout.write(f"{job.key}: {done[job.key]} {verb} dealt with ({job.label}, {days} days)")

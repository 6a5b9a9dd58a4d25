import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from kmnet.demo.load import load
from kmnet.demo.services import NotEmpty, load_demo


class Command(BaseCommand):
    help = "Load invented members and posts in any number, for measuring. Only where KMNET_DEMO=1."

    def add_arguments(self, parser):
        parser.add_argument("--members", type=int, default=100_000)
        parser.add_argument("--posts", type=int, default=1_000_000)
        parser.add_argument("--resources", type=int, default=100_000, help="records of the library")
        parser.add_argument("--long", type=int, default=10_000, help="posts of the longest thread")

    def handle(self, *args, **options):
        if not settings.KMNET_DEMO:
            raise CommandError("Invented people exist only where KMNET_DEMO=1.")
        if min(options["members"], options["posts"], options["long"]) < 1:
            raise CommandError("At least one member, one post, and one post in the longest thread.")
        if options["resources"] < 0:
            raise CommandError("No fewer than no resources.")
        if options["long"] > options["posts"]:
            raise CommandError("The longest thread cannot have more posts than there are in all.")
        try:
            load_demo()
        except NotEmpty as error:
            raise CommandError(str(error)) from error
        began = time.monotonic()
        made = load(
            members=options["members"],
            posts=options["posts"],
            long_thread=options["long"],
            resources=options["resources"],
        )
        self.stdout.write(
            f"{made.members} members, {made.posts} posts in {made.threads} threads; the thread {made.long_thread} has "
            f"{options['long']}; {made.resources} resources. It took {time.monotonic() - began:.0f} s."
        )

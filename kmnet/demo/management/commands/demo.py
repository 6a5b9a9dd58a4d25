from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from kmnet.demo.services import load_demo


class Command(BaseCommand):
    help = "Load the demo data, once. Only where KMNET_DEMO=1."

    def handle(self, *args, **options):
        if not settings.KMNET_DEMO:
            raise CommandError("Demo accounts exist only where KMNET_DEMO=1.")
        self.stdout.write("Demo data loaded." if load_demo() else "Demo data is there already.")

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from kmnet.demo.services import NotEmpty, load_demo


class Command(BaseCommand):
    help = "Load the demo data, once. Only where KMNET_DEMO=1."

    def handle(self, *args, **options):
        if not settings.KMNET_DEMO:
            raise CommandError("Demo accounts exist only where KMNET_DEMO=1.")
        try:
            loaded = load_demo()
        except NotEmpty as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Demo data loaded." if loaded else "Demo data is there already.")

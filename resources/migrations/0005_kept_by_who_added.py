from django.db import migrations
from django.db.models import F


def keep(apps, schema_editor):
    """Who added a record looks after it, until it is handed on."""
    Resource = apps.get_model("resources", "Resource")
    Resource.objects.filter(keeper__isnull=True, added_by__isnull=False).update(keeper=F("added_by"))


class Migration(migrations.Migration):
    dependencies = [("resources", "0004_the_whole_library")]
    operations = [migrations.RunPython(keep, migrations.RunPython.noop)]

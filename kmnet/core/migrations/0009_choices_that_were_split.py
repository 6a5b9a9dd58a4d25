from django.db import migrations

SPLIT = {"reply": "accepted", "watched": "every_post"}


def copy_choices(apps, schema_editor):
    """Two rows of the settings page became four: who switched one off has switched off what was part of it."""
    MailChoice = apps.get_model("core", "MailChoice")
    for old, new in SPLIT.items():
        found = MailChoice.objects.filter(category=old).iterator(chunk_size=2000)
        MailChoice.objects.bulk_create(
            (
                MailChoice(
                    member_id=row.member_id,
                    address=row.address,
                    category=new,
                    how=row.how,
                    changed_at=row.changed_at,
                )
                for row in found
            ),
            batch_size=2000,
            ignore_conflicts=True,
        )


class Migration(migrations.Migration):
    dependencies = [("core", "0008_mail_in_and_out")]
    operations = [migrations.RunPython(copy_choices, migrations.RunPython.noop)]

from django.db import migrations

FILL = """
UPDATE discussions_thread t SET tag_ids = found.ids
FROM (SELECT item.object_id, array_agg(item.tag_id ORDER BY item.id) AS ids
      FROM taggit_taggeditem item JOIN django_content_type kind ON kind.id = item.content_type_id
      WHERE kind.app_label = 'discussions' AND kind.model = 'thread' GROUP BY item.object_id) found
WHERE t.id = found.object_id
"""


class Migration(migrations.Migration):
    dependencies = [("discussions", "0008_reading_and_lists")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]

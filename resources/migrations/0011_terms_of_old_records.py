from django.db import migrations

FILL = """
UPDATE resources_resource r SET
    term_ids = ARRAY(SELECT t.term_id FROM resources_resourceterm t WHERE t.resource_id = r.id ORDER BY t.id),
    tag_ids = ARRAY(SELECT t.tag_id FROM resources_resourcetag t WHERE t.content_object_id = r.id ORDER BY t.id)
"""


class Migration(migrations.Migration):
    dependencies = [("resources", "0010_found_among_many")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]

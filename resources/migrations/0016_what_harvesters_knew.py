from django.db import migrations

# Those that are public, and those of which it is known that they were: out of sight, or narrowed by an edit that the
# history keeps.
FILL = """
INSERT INTO resources_harvestrecord (number, changed_at, is_gone)
SELECT r.id,
       GREATEST(r.updated_at, r.published_at, r.hidden_at),
       r.state <> 'visible' OR r.visibility <> 'public'
FROM resources_resource r
WHERE r.published_at IS NOT NULL
  AND (r.visibility = 'public' AND r.state IN ('visible', 'hidden')
       OR EXISTS (SELECT FROM resources_resourceedit e
                  WHERE e.resource_id = r.id AND e.before ->> 'visibility' = 'public'))
ON CONFLICT (number) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("resources", "0015_harvesters_hear_what_is_gone")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]

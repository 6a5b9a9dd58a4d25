from django.db import migrations

MAKE = """
CREATE TABLE core_publicchange (id bigserial PRIMARY KEY);
CREATE FUNCTION note_public_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('kmnet.changed', true) IS DISTINCT FROM pg_current_xact_id()::text THEN
    INSERT INTO core_publicchange DEFAULT VALUES;
    PERFORM set_config('kmnet.changed', pg_current_xact_id()::text, true);
  END IF;
  RETURN NULL;
END $$;
"""
UNMAKE = "DROP FUNCTION note_public_change() CASCADE; DROP TABLE core_publicchange;"


class Migration(migrations.Migration):
    dependencies = [("core", "0005_doomed_files")]
    operations = [migrations.RunSQL(MAKE, UNMAKE)]

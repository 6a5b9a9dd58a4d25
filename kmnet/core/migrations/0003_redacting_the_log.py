from django.db import migrations

# The log of acts stays append-only, but for one thing: when somebody's account is deleted, their name, handle and
# address are taken out of the reasons that moderators typed. Nothing else of an entry can change, not even then.
LET_THROUGH = """
CREATE OR REPLACE FUNCTION kmnet_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('kmnet.redacting', true) = 'on'
       AND to_jsonb(NEW) - 'reason' = to_jsonb(OLD) - 'reason' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$
"""
AS_BEFORE = """
CREATE OR REPLACE FUNCTION kmnet_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0002_mail")]

    operations = [migrations.RunSQL(LET_THROUGH, reverse_sql=AS_BEFORE)]

"""The database's own refusal to leave an open group without a convenor.

The services lock the group and look first, so they never meet this. It is for whoever writes past them. Asked at the
commit, so that a hand-over may take any order; it locks the group itself, or two convenors who leave at once would
each see the other one still there.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION members_group_has_a_convenor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM members_group WHERE id = OLD.group_id AND closed_at IS NULL FOR NO KEY UPDATE;
    IF FOUND AND NOT EXISTS (
        SELECT 1 FROM members_groupmember WHERE group_id = OLD.group_id AND standing = 'convenor'
    ) THEN
        RAISE EXCEPTION 'group % would be left without a convenor', OLD.group_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'group_has_a_convenor';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER group_has_a_convenor AFTER UPDATE OR DELETE ON members_groupmember
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.standing = 'convenor')
    EXECUTE FUNCTION members_group_has_a_convenor();
"""

BACKWARD = """
DROP TRIGGER group_has_a_convenor ON members_groupmember;
DROP FUNCTION members_group_has_a_convenor();
"""


class Migration(migrations.Migration):
    dependencies = [("members", "0011_groups_whole")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

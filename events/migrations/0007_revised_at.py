"""When what calendars show of an event was last changed.

A trigger keeps it, so that no service can forget: it is what LAST-MODIFIED says, and what tells a calendar program that
an entry which it has is the older one.
"""

import django.utils.timezone
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION events_note_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.title, NEW.slug, NEW.summary, NEW.kind, NEW.venue, NEW.starts_at, NEW.ends_at, NEW.time_zone,
        NEW.visibility, NEW.published_at, NEW.postponed_at, NEW.cancelled_at)
       IS DISTINCT FROM
       (OLD.title, OLD.slug, OLD.summary, OLD.kind, OLD.venue, OLD.starts_at, OLD.ends_at, OLD.time_zone,
        OLD.visibility, OLD.published_at, OLD.postponed_at, OLD.cancelled_at)
    THEN
        NEW.revised_at := now();
    ELSE
        NEW.revised_at := OLD.revised_at;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER events_note_revision BEFORE UPDATE ON events_event
    FOR EACH ROW EXECUTE FUNCTION events_note_revision();
"""

BACKWARD = """
DROP TRIGGER events_note_revision ON events_event;
DROP FUNCTION events_note_revision();
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0006_places_guard_by_list")]

    operations = [
        migrations.AddField(
            "event",
            "revised_at",
            models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]

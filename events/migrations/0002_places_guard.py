"""The database's own refusal to hold more places than an event has.

The services lock the event and count first, so they never meet this. It is for whoever writes past
them: a slip in a new service, a row changed by hand. It locks the event itself, and counts every
offer that has not been ended (services end the lapsed ones first, so the clock plays no part here).
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION events_places_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    places integer;
    held integer;
BEGIN
    SELECT capacity + overbooking INTO places FROM events_event WHERE id = NEW.event_id FOR UPDATE;
    IF places IS NULL THEN
        RETURN NEW;
    END IF;
    SELECT count(*) INTO held FROM events_registration
        WHERE event_id = NEW.event_id AND status IN ('confirmed', 'offered') AND id <> NEW.id;
    IF held >= places THEN
        RAISE EXCEPTION 'event % has % places, all held', NEW.event_id, places
            USING ERRCODE = 'check_violation', CONSTRAINT = 'events_places_guard';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER events_places_guard_insert BEFORE INSERT ON events_registration
    FOR EACH ROW WHEN (NEW.status IN ('confirmed', 'offered'))
    EXECUTE FUNCTION events_places_guard();
CREATE TRIGGER events_places_guard_update BEFORE UPDATE OF status, event_id ON events_registration
    FOR EACH ROW WHEN (NEW.status IN ('confirmed', 'offered')
        AND (OLD.status NOT IN ('confirmed', 'offered') OR OLD.event_id <> NEW.event_id))
    EXECUTE FUNCTION events_places_guard();

CREATE FUNCTION events_capacity_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held integer;
BEGIN
    SELECT count(*) INTO held FROM events_registration
        WHERE event_id = NEW.id AND status IN ('confirmed', 'offered');
    IF held > NEW.capacity + NEW.overbooking THEN
        RAISE EXCEPTION 'event %: % places are held, more than % + %',
            NEW.id, held, NEW.capacity, NEW.overbooking
            USING ERRCODE = 'check_violation', CONSTRAINT = 'events_capacity_guard';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER events_capacity_guard BEFORE UPDATE OF capacity, overbooking ON events_event
    FOR EACH ROW WHEN (NEW.capacity IS NOT NULL AND (OLD.capacity IS NULL
        OR NEW.capacity + NEW.overbooking < OLD.capacity + OLD.overbooking))
    EXECUTE FUNCTION events_capacity_guard();
"""

BACKWARD = """
DROP TRIGGER events_places_guard_insert ON events_registration;
DROP TRIGGER events_places_guard_update ON events_registration;
DROP TRIGGER events_capacity_guard ON events_event;
DROP FUNCTION events_places_guard();
DROP FUNCTION events_capacity_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

"""The guard of 0002, for each list of places: of a hybrid event the room and the places online are two."""

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION events_places_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    places integer;
    held integer;
BEGIN
    SELECT CASE WHEN NEW.way = 'online' THEN online_capacity + online_overbooking ELSE capacity + overbooking END
        INTO places FROM events_event WHERE id = NEW.event_id FOR UPDATE;
    IF places IS NULL THEN
        RETURN NEW;
    END IF;
    SELECT count(*) INTO held FROM events_registration
        WHERE event_id = NEW.event_id AND way = NEW.way AND status IN ('confirmed', 'offered') AND id <> NEW.id;
    IF held >= places THEN
        RAISE EXCEPTION 'event % has % places, all held', NEW.event_id, places
            USING ERRCODE = 'check_violation', CONSTRAINT = 'events_places_guard';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER events_places_guard_update ON events_registration;
CREATE TRIGGER events_places_guard_update BEFORE UPDATE OF status, event_id, way ON events_registration
    FOR EACH ROW WHEN (NEW.status IN ('confirmed', 'offered')
        AND (OLD.status NOT IN ('confirmed', 'offered') OR OLD.event_id <> NEW.event_id OR OLD.way <> NEW.way))
    EXECUTE FUNCTION events_places_guard();

CREATE OR REPLACE FUNCTION events_capacity_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held integer;
    held_online integer;
BEGIN
    SELECT count(*) FILTER (WHERE way <> 'online'), count(*) FILTER (WHERE way = 'online') INTO held, held_online
        FROM events_registration WHERE event_id = NEW.id AND status IN ('confirmed', 'offered');
    IF held > NEW.capacity + NEW.overbooking OR held_online > NEW.online_capacity + NEW.online_overbooking THEN
        RAISE EXCEPTION 'event %: % places are held (and % online), more than % + % (% + % online)',
            NEW.id, held, held_online, NEW.capacity, NEW.overbooking, NEW.online_capacity, NEW.online_overbooking
            USING ERRCODE = 'check_violation', CONSTRAINT = 'events_capacity_guard';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER events_capacity_guard ON events_event;
CREATE TRIGGER events_capacity_guard
    BEFORE UPDATE OF capacity, overbooking, online_capacity, online_overbooking ON events_event
    FOR EACH ROW WHEN (
        (NEW.capacity IS NOT NULL AND (OLD.capacity IS NULL
            OR NEW.capacity + NEW.overbooking < OLD.capacity + OLD.overbooking))
        OR (NEW.online_capacity IS NOT NULL AND (OLD.online_capacity IS NULL
            OR NEW.online_capacity + NEW.online_overbooking < OLD.online_capacity + OLD.online_overbooking)))
    EXECUTE FUNCTION events_capacity_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0005_whole_events")]
    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]

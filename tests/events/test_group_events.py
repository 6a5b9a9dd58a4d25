"""An event for a group: seen, found and joined by those in the group, and by its organisers."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse

from events import permissions, services
from events.forms import EventForm
from events.models import Event, Registration, Status, Visibility
from events.search import find_events
from kmnet.core.search import SearchText
from members.models import Standing
from members.services import groups
from tests.factories import make_member
from tests.factories.events import make_event, make_registration
from tests.factories.groups import make_group, put_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser():
    return make_member(is_organiser=True)


@pytest.fixture
def inside():
    return make_member()


@pytest.fixture
def group(organiser, inside):
    return make_group(inside, convenor=organiser, is_listed=False)


@pytest.fixture
def event(group, organiser):
    return make_event(
        title="Zwischenraum", visibility=Visibility.GROUP, group=group, organisers=[organiser], capacity=2
    )


@pytest.mark.parametrize("closed", [False, True])
def test_predicate_and_filter_agree_for_everybody_around_a_group(group, event, organiser, inside, closed):
    people = {
        "guest": AnonymousUser(),
        "pending": make_member(status="pending"),
        "member": make_member(),
        "moderator": make_member(is_moderator=True),
        "admin": make_member(is_superuser=True, is_staff=True),
        "asked": make_member(),
        "silenced": make_member(status="silenced"),
        "organiser": organiser,
        "inside": inside,
        "admin inside": make_member(is_superuser=True, is_staff=True),
    }
    put_in(group, people["asked"], Standing.REQUESTED)
    put_in(group, people["silenced"])
    put_in(group, people["admin inside"])
    friend = people["member"]
    rehearsal = make_event(
        visibility=Visibility.GROUP, group=group, rehearsal_of=event, organisers=[organiser]
    )
    make_registration(event=rehearsal, member=friend)
    draft = make_event(visibility=Visibility.GROUP, group=group, organisers=[organiser], published=False)
    wide = make_event(visibility=Visibility.MEMBERS)
    if closed:
        groups.close_group(actor=organiser, group=group)
    seen, registering, organising = set(), set(), set()
    for name, user in people.items():
        for one in (event, rehearsal, draft, wide):
            one = Event.objects.get(pk=one.pk)
            filtered = Event.objects.visible_to(user).filter(pk=one.pk).exists()
            assert permissions.can_view_event(user, one) is filtered, (name, one)
        one = Event.objects.get(pk=event.pk)
        seen |= {name} if permissions.can_view_event(user, one) else set()
        registering |= {name} if permissions.can_register(user, one) else set()
        organising |= {name} if permissions.can_organise_event(user, one) else set()
    assert seen == {"silenced", "organiser", "inside", "admin inside"}
    assert registering == (set() if closed else {"organiser", "inside", "admin inside"})
    assert organising == {"organiser", "admin inside"}


def test_outsiders_find_nothing_of_it(client, event):
    admin = make_member(is_superuser=True, is_staff=True)
    client.force_login(admin)
    for address in (
        event.get_absolute_url(),
        reverse("events:register", args=[event.pk, event.slug]),
        reverse("events:organise", args=[event.pk, event.slug]),
    ):
        assert client.get(address).status_code == 404, address
    for address in ("/events/", "/", "/admin/events/event/", "/admin/events/registration/"):
        page = client.get(address)
        assert page.status_code == 200
        assert "Zwischenraum" not in page.content.decode(), address
    assert find_events(SearchText("Zwischenraum"), admin, 5).total == 0
    client.logout()
    assert client.get(event.get_absolute_url()).status_code == 302


def test_insiders_see_it_and_get_a_place(client, event, inside):
    client.force_login(inside)
    assert client.get(event.get_absolute_url()).status_code == 200
    assert find_events(SearchText("Zwischenraum"), inside, 5).total == 1
    assert client.post(reverse("events:register", args=[event.pk, event.slug])).status_code == 302
    assert event.registrations.get().member == inside


def test_nobody_from_outside_is_added_by_hand(event, organiser, inside):
    with pytest.raises(PermissionDenied):
        services.register_member(event=event, member=make_member(), by=organiser)
    assert services.register_member(event=event, member=inside, by=organiser).status == Status.CONFIRMED


def test_who_leaves_the_group_gives_up_their_place_and_the_next_is_asked(group, event, inside, organiser):
    waiting, other = make_member(), make_member()
    for member in (waiting, other):
        put_in(group, member)
    for member in (inside, other, waiting):
        services.register_member(event=event, member=member)
    open_to_all = make_event()
    services.register_member(event=open_to_all, member=inside)
    groups.leave_group(member=inside, group=group)
    statuses = dict(Registration.objects.filter(event=event).values_list("member", "status"))
    assert statuses == {
        inside.pk: Status.CANCELLED,
        other.pk: Status.CONFIRMED,
        waiting.pk: Status.OFFERED,
    }
    assert open_to_all.registrations.get(member=inside).status == Status.CONFIRMED


def test_an_organiser_who_leaves_the_group_keeps_their_place(group, event, inside):
    event.organisers.add(inside)
    services.register_member(event=event, member=inside)
    groups.leave_group(member=inside, group=group)
    assert Registration.objects.live().get(event=event).member == inside


def test_an_organiser_offers_it_only_to_groups_they_are_in(group, event, organiser):
    elsewhere = make_group()
    values = [value for value, _label in EventForm(member=organiser).fields["visibility"].choices]
    assert values == [0, 1, 3, f"group-{group.pk}"]
    for other in (elsewhere, group):
        fields = {
            "title": "Our meeting",
            "starts_at": event.starts_at,
            "ends_at": event.ends_at,
            "visibility": Visibility.GROUP,
            "group": other,
        }
        if other == elsewhere:
            with pytest.raises(PermissionDenied):
                services.create_event(actor=organiser, **fields)
        else:
            assert services.create_event(actor=organiser, **fields).group == group


def test_an_audience_is_not_narrowed_over_the_heads_of_who_has_a_place(group, organiser, inside):
    event = make_event(organisers=[organiser])
    services.register_member(event=event, member=inside)
    guest = make_registration(event=event, guest_name="Ana", guest_address="ana@example.org")
    narrow = {"visibility": Visibility.GROUP, "group": group}
    with pytest.raises(services.AudienceTooNarrow) as refused:
        services.update_event(event=event, actor=organiser, **narrow)
    assert refused.value.outside == 1
    services.remove_registration(registration=guest, by=organiser, reason="")
    assert services.update_event(event=event, actor=organiser, **narrow).group == group
    assert services.update_event(event=event, actor=organiser, visibility=Visibility.MEMBERS, group=None)


def test_the_form_plans_a_meeting_for_the_group(client, organiser, group):
    client.force_login(organiser)
    address = f"{reverse('events:create')}?group={group.pk}"
    form = client.get(address).context["form"]
    assert form["visibility"].value() == f"group-{group.pk}"
    answers = {
        "title": "Fourth meeting", "kind": "webinar", "time_zone": "Europe/London", "starts": "2027-02-03T14:00",
        "ends": "2027-02-03T15:15", "visibility": f"group-{group.pk}", "programme-TOTAL_FORMS": "0",
        "programme-INITIAL_FORMS": "0",
    }  # fmt: skip
    assert client.post(address, answers).status_code == 302
    event = Event.objects.get(title="Fourth meeting")
    assert (event.visibility, event.group) == (Visibility.GROUP, group)
    elsewhere = make_group()
    response = client.post(address, {**answers, "visibility": f"group-{elsewhere.pk}"})
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["visibility"])


def test_an_event_of_a_group_names_it_and_only_then(group):
    for fields in ({"visibility": Visibility.GROUP}, {"visibility": Visibility.MEMBERS, "group": group}):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_event(**fields)

"""The hub in the admin: looked at, never changed by hand; and every registered list opens."""

import pytest
from django.contrib import admin
from django.urls import reverse

from kmnet.core.models import AuditEntry, Flag
from kmnet.hub.models import DigestRun, DigestSchedule
from tests.factories import make_member
from tests.hub.conftest import signed_in
from tests.hub.test_digest import first_digest, make_reader

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin_client():
    return signed_in(make_member(is_staff=True, is_superuser=True))


def test_every_list_and_every_form_of_the_admin_opens(admin_client):
    for model, model_admin in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert admin_client.get(reverse(f"{name}_changelist")).status_code == 200, name
        request = admin_client.get(reverse("admin:index")).wsgi_request
        if model_admin.has_add_permission(request):
            assert admin_client.get(reverse(f"{name}_add")).status_code == 200, name


def test_the_front_page_has_its_name(admin_client):
    page = admin_client.get(reverse("admin:index")).content.decode()
    assert "What the community is made of" in page


def test_members_do_not_get_in(member_client):
    assert member_client.get(reverse("admin:index")).status_code == 302


def test_a_digest_says_what_became_of_its_mail(admin_client):
    reader = make_reader()
    first_digest(reader)
    page = admin_client.get(reverse("admin:hub_digestrun_changelist")).content.decode()
    assert "nothing new" in page


@pytest.mark.parametrize("model", [DigestRun, DigestSchedule, AuditEntry, Flag])
def test_logs_and_reports_are_only_looked_at(admin_client, model):
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    assert admin_client.get(reverse(f"{name}_changelist")).status_code == 200
    assert admin_client.get(reverse(f"{name}_add")).status_code == 403

"""The demo's mailbox: every mail as its receiver would see it."""

import pytest
from django.urls import reverse

from kmnet.core import mail
from kmnet.core.models import DevMail
from tests.mail_kinds import mail_kind, queue_test_mail

pytestmark = pytest.mark.django_db


def compose(row):
    ics = mail.Attachment("invite.ics", b"BEGIN:VCALENDAR\r\n", "text/calendar")
    context = {"title": row.refs["title"], "sentence": "<script>alert(1)</script>", "at": row.created_at}
    return mail.MailContent(context, attachments=[ics])


@pytest.fixture(autouse=True)
def mailbox_backend(settings):
    settings.EMAIL_BACKEND = "kmnet.core.mailbox.MailboxBackend"
    with mail_kind(compose=compose):
        yield


def deliver(title="Évaluation: a seat is yours", **fields) -> DevMail:
    row = queue_test_mail(refs={"title": title}, **fields)
    mail.send_due_mail()
    return DevMail.objects.get(message_id=row.message_id)


def test_list_shows_the_newest_first_and_one_receiver_s(client):
    first, second = deliver("First", address="ana@example.org"), deliver("Second", address="ben@example.org")

    page = client.get(reverse("mailbox:index"))
    assert [row.pk for row in page.context["page"]] == [second.pk, first.pk]
    page = client.get(reverse("mailbox:index"), {"to": "ANA@"})
    assert [row.pk for row in page.context["page"]] == [first.pk]
    assert client.get(reverse("mailbox:index"), {"to": "nobody\x00"}).context["page"].items == []


@pytest.mark.parametrize("count", [1, 30])
def test_list_costs_the_same_at_any_length(client, django_assert_num_queries, count):
    DevMail.objects.bulk_create(
        DevMail(recipient="a@b.example", subject="x", raw=b"") for _number in range(count)
    )
    client.get(reverse("mailbox:index"))  # settings of the community come into the cache

    with django_assert_num_queries(1):
        client.get(reverse("mailbox:index"))


def test_mail_is_shown_with_text_headers_and_attachments(client):
    row = deliver(address="ana@example.org")

    page = client.get(reverse("mailbox:message", args=[row.pk]))

    content = page.content.decode()
    assert "Évaluation: a seat is yours" in content
    assert "<script>alert" not in content
    assert dict(page.context["headers"])["Message-ID"] == row.message_id
    attached = client.get(reverse("mailbox:attachment", args=[row.pk, 0]))
    assert attached.content == b"BEGIN:VCALENDAR\r\n"
    assert attached["Content-Disposition"] == 'attachment; filename="invite.ics"'
    assert client.get(reverse("mailbox:attachment", args=[row.pk, 1])).status_code == 404
    assert client.get(reverse("mailbox:message", args=[row.pk + 1])).status_code == 404


def test_html_part_is_shut_in_and_its_links_lead_out(client):
    row = deliver()

    part = client.get(reverse("mailbox:html", args=[row.pk]))

    policy = part["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "sandbox allow-popups" in policy
    assert part["X-Frame-Options"] == "SAMEORIGIN"
    assert '<base target="_top">' in part.content.decode()
    assert "<script>alert" not in part.content.decode()


@pytest.mark.parametrize("setting", [{"KMNET_DEMO": False}, {"EMAIL_URL": "smtp://localhost:25"}])
def test_mailbox_exists_only_in_the_demo_without_a_mail_server(client, settings, setting):
    row = deliver()
    for name, value in setting.items():
        setattr(settings, name, value)

    for name in ("message", "html"):
        assert client.get(reverse(f"mailbox:{name}", args=[row.pk])).status_code == 404
    assert client.get(reverse("mailbox:index")).status_code == 404
    assert client.get(reverse("mailbox:attachment", args=[row.pk, 0])).status_code == 404


def test_mailbox_keeps_only_the_newest(monkeypatch):
    monkeypatch.setattr("kmnet.core.mailbox.KEPT", 3)

    rows = [deliver(f"Mail {number}") for number in range(5)]

    assert list(DevMail.objects.order_by("pk")) == rows[2:]

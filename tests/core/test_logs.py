"""Logs hold no token that acts for somebody, and what belongs to one request can be told by its id."""

import json
import logging
import sys
from types import SimpleNamespace

import pytest
import structlog
from celery.signals import after_task_publish
from django.urls import reverse
from django_structlog.celery.steps import DjangoStructLogInitStep
from structlog.stdlib import ProcessorFormatter

from kmnet.celery import app
from kmnet.core.logs import hide_tokens
from tests.factories import make_member
from tests.factories.discussions import make_thread


@pytest.fixture
def ours():
    """What makes a line of a record: our formatter."""
    return next(
        h.formatter for h in logging.getLogger().handlers if isinstance(h.formatter, ProcessorFormatter)
    )


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("GET /mail/unsubscribe/eyJkIjp7:1xUz:d5hp0/", "GET /mail/unsubscribe/…/"),
        ("Not Found: /mail/offer/abc:def/", "Not Found: /mail/offer/…/"),
        ("POST /accounts/confirm-email/MQ:1xUz:key/?next=/", "POST /accounts/confirm-email/…/?next=/"),
        ("GET /accounts/password/reset/key/1-c8zabc/", "GET /accounts/password/reset/key/…/"),
        ("GET /accounts/login/", "GET /accounts/login/"),
        ("GET /dev/mail/5/html/", "GET /dev/mail/5/html/"),
    ],
)
def test_tokens_stay_out_of_the_logs(line, kept):
    assert hide_tokens(None, "info", {"event": "request_started", "request": line, "code": 200}) == {
        "event": "request_started",
        "request": kept,
        "code": 200,
    }


def test_people_stay_out_of_the_logs_also_out_of_a_trace(ours):
    try:
        raise ValueError("Key (lower(email))=(ana.silva@example.org) already exists")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x", 1, "GET /members/ana-silva/", (), sys.exc_info())
    line = ours.format(record)
    assert "ana" not in line
    assert "already exists" in line
    assert "/members/…/" in json.loads(line)["event"]


@pytest.mark.django_db
def test_request_is_logged_without_its_token(client, caplog, ours):
    with caplog.at_level(logging.INFO):
        client.get("/mail/unsubscribe/a-token-of-somebody/")

    lines = [ours.format(record) for record in caplog.records]
    assert (
        len([line for line in lines if "/mail/unsubscribe/" in line]) == 3
    )  # start, end, and Django's own 404
    assert "a-token-of-somebody" not in "".join(lines)


@pytest.fixture
def published():
    """The headers of the tasks that are published meanwhile, by the task's name."""
    heard = {}

    def note(headers, **kwargs):
        heard[headers["task"]] = headers

    after_task_publish.connect(note)
    yield heard
    after_task_publish.disconnect(note)


@pytest.mark.django_db(transaction=True)  # a task is published when its request's transaction has committed
def test_request_id_follows_into_the_logs_of_its_tasks(client, caplog, ours, published):
    thread = make_thread()
    client.force_login(make_member())
    address = reverse("discussions:reply", args=[thread.space.slug, thread.pk, thread.slug])
    with caplog.at_level(logging.INFO):
        client.post(address, {"body": "So do I."})
    started = next(line for record in caplog.records if "request_started" in (line := ours.format(record)))
    caplog.clear()
    message = published["kmnet.core.tasks.fan_out_activity"]

    assert DjangoStructLogInitStep in app.steps["worker"]
    request = SimpleNamespace(__django_structlog__=message["__django_structlog__"])
    worker = DjangoStructLogInitStep(None).receiver
    worker.receiver_task_prerun("task-1", SimpleNamespace(name=message["task"], request=request))
    try:
        with caplog.at_level(logging.WARNING):
            logging.getLogger("kmnet.core.mail").warning("said in the task")
        [record] = caplog.records
        line = json.loads(ours.format(record))
    finally:
        structlog.contextvars.clear_contextvars()
    assert (line["event"], line["request_id"], line["task_id"]) == (
        "said in the task",
        json.loads(started)["request_id"],
        "task-1",
    )

"""Logs hold no token that acts for somebody."""

import logging

import pytest
from structlog.stdlib import ProcessorFormatter

from kmnet.core.logs import hide_tokens


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


@pytest.mark.django_db
def test_request_is_logged_without_its_token(client, caplog):
    ours = next(
        h.formatter for h in logging.getLogger().handlers if isinstance(h.formatter, ProcessorFormatter)
    )

    with caplog.at_level(logging.INFO):
        client.get("/mail/unsubscribe/a-token-of-somebody/")

    lines = [ours.format(record) for record in caplog.records]
    assert (
        len([line for line in lines if "/mail/unsubscribe/" in line]) == 3
    )  # start, end, and Django's own 404
    assert "a-token-of-somebody" not in "".join(lines)

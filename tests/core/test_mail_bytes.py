"""The bytes of a message, put together by us, are those that the library would write."""

import pytest

from kmnet.core.mail import message as mail


@pytest.mark.parametrize(
    ("text", "html", "subject", "headers"),
    [
        ("plain\n\nFrom here on\n.\n", "<p>plain</p>", "Plain", {}),
        ("“words”\n" * 30, "<p>é</p>\n" * 40, "Two questions – one answer", {"List-Id": "x <y.example.org>"}),
        ("x" * 1200 + "é", "<p>" + "y" * 3000 + "</p>", "Long lines", {}),
        ("no newline at the end", "<p>é", "A header of many words", {"X-Long": "words " * 300}),
        ("سلام\r\nx\ry", "<p>سلام</p>", "Привет " * 25, {}),
    ],
)
@pytest.mark.parametrize("linesep", ["\n", "\r\n"])
def test_bytes_are_those_of_the_library(text, html, subject, headers, linesep):
    message = mail.Message(subject, text, "kmnet <a@example.org>", ["b@example.org"], headers=headers)
    message.attach_alternative(html, "text/html")
    made = message.message()
    ours = made.as_bytes(linesep=linesep)
    assert ours == type(made).as_bytes(made, False, linesep)
    assert ours == made.as_bytes(linesep=linesep)


def test_what_has_a_file_attached_is_left_to_the_library():
    message = mail.Message("Subject", "text", "a@example.org", ["b@example.org"])
    message.attach_alternative("<p>text</p>", "text/html")
    message.attach("event.ics", b"BEGIN:VCALENDAR", "text/calendar")
    assert b"BEGIN:VCALENDAR" in message.message().as_bytes()

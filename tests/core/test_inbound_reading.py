"""Reading a message: files, pictures between the words, and who vouches for it."""

from email.message import EmailMessage

import pytest

from kmnet.core.inbound import proof
from kmnet.core.inbound.reading import read

LOGO, PHOTO = b"logo" * 9, b"photo" * 9


def with_pictures(html: str, text: str | None = None) -> bytes:
    mail = EmailMessage()
    mail["From"] = "Ana Sousa <ana@example.org>"
    if text is not None:
        mail.set_content(text)
        mail.add_alternative(html, subtype="html")
        body = mail.get_payload()[1]
    else:
        mail.set_content(html, subtype="html")
        body = mail
    body.add_related(LOGO, "image", "png", cid="<logo@x>", filename="logo.png")
    body.add_related(PHOTO, "image", "jpeg", cid="<photo@x>", filename="photo.jpg")
    return mail.as_bytes()


HTML = (
    '<p>This is the wall.</p><p><img src="cid:photo@x"></p><div id="Signature">Ana<br><img src="cid:logo@x"></div>'
    '<div id="appendonsend"></div><p>From: Maren</p>'
)


@pytest.mark.parametrize("text", [None, "This is the wall.\n\n-- \nAna\n"])
def test_a_picture_between_the_words_comes_along_and_a_logo_below_does_not(text):
    mail = read(with_pictures(HTML, text))
    assert [file.name for file in mail.attachments] == ["photo.jpg"]
    assert mail.attachments[0].content == PHOTO
    assert mail.body.words.startswith("This is the wall.")


def test_files_that_were_attached_come_along_and_machinery_does_not():
    mail = EmailMessage()
    mail["From"] = "ana@example.org"
    mail.set_content("See the file.\n")
    mail.add_attachment(b"%PDF-1.4", "application", "pdf", filename="=?utf-8?q?B=C3=A9b=C3=A9.pdf?=")
    mail.add_attachment(b"BEGIN:VCALENDAR", "text", "calendar", filename="invite.ics")
    mail.add_attachment(b"x", "application", "ms-tnef", filename="winmail.dat")
    mail.add_attachment("other mail", filename="notes.txt")
    found = read(mail.as_bytes())
    assert [file.name for file in found.attachments] == ["Bébé.pdf", "notes.txt"]
    assert found.body.words == "See the file."


def test_names_and_subjects_are_read_whatever_their_encoding():
    raw = (
        b"From: =?iso-8859-1?q?J=F6rg_M=FCller?= <JORG@Example.ORG>\r\n"
        b"Subject: =?utf-8?b?w4l2YWx1YXRpb24=?=\r\n a long one\r\n\r\nx\r\n"
    )
    mail = read(raw)
    assert (mail.sender_name, mail.sender, mail.subject) == (
        "Jörg Müller",
        "jorg@example.org",
        "Évaluation a long one",
    )
    raw8 = "From: Zoë <zoe@example.org>\r\nSubject: Größe\r\n\r\nx\r\n"
    assert read(raw8.encode()).subject == "Größe"
    assert read(raw8.encode("latin-1")).subject == "Größe"


def test_of_two_senders_nobody_is_the_sender():
    assert read(b"From: a@example.org, b@example.org\r\n\r\nx").sender == ""
    assert read(b"From: a@example.org\r\nFrom: b@example.org\r\n\r\nx").sender == ""


@pytest.mark.parametrize(
    ("headers", "proven"),
    [
        (["mx.kmnet.example; dkim=pass header.d=example.org"], "dkim"),
        (["mx.kmnet.example 1; dkim=pass (2048 bit) header.i=@mail.example.org; spf=softfail"], "dkim"),
        (
            [
                "mx.kmnet.example; spf=pass smtp.mailfrom=bounce@example.org; dmarc=pass header.from=example.org"
            ],
            "spf dmarc",
        ),
        (["mx.kmnet.example; dkim=none"], ""),
        (["mx.kmnet.example; dkim=pass header.d=ample.org"], ""),
        (["mx.kmnet.example; dkim=pass header.d=org"], ""),
        (["mx.kmnet.example.evil; dkim=pass header.d=example.org"], ""),
        (["other; dkim=pass header.d=example.org"], ""),
        (['mx.kmnet.example; dkim=pass (1024-bit key) header.d=example.org header.b="aB+/c="'], "dkim"),
        # What stands in it of the sender's own words proves nothing
        (
            [
                'mx.kmnet.example; spf=pass (domain of "a) ; dkim=pass header.d=example.org ("@evil.example) '
                'smtp.mailfrom="b; dkim=pass header.d=example.org"@evil.example'
            ],
            "",
        ),
        # Ours stands on top; what the sender wrote below in our name is not read
        (["mx.kmnet.example; dkim=fail", "mx.kmnet.example; dkim=pass header.d=example.org"], ""),
    ],
)
def test_only_our_own_server_says_what_is_proven(settings, headers, proven):
    settings.INBOUND_AUTHSERV_ID = "mx.kmnet.example"
    lines = "".join(f"Authentication-Results: {header}\r\n" for header in headers)
    mail = read(f"{lines}From: ana@example.org\r\n\r\nx".encode())
    assert proof.proven_by(mail) == proven
    settings.INBOUND_AUTHSERV_ID = ""
    assert proof.proven_by(mail) == ""

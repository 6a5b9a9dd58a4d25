"""A mailing list is brought in: read row by row, all or nothing, one invitation, one reminder, and no account by itself."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from kmnet.core.models import AuditEntry, OutgoingMail
from members import services
from members.address_list import MOST_ROWS, Row, Unreadable, parse, read_bytes
from members.models import BringIn, Invitation, InvitationUse, Member
from members.services.invitations import AT_ONCE
from members.tasks import keep_invitations
from tests.factories import make_member
from tests.mailbox import links_in, send_due, text_of

URL = reverse("members:bring_in")


# --- reading ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("ana@example.org", [("ana@example.org", "")]),
        ("email,name\nana@example.org,Ana Silva\n", [("ana@example.org", "Ana Silva")]),
        ("Name;E-Mail\r\nAna Silva;ana@example.org\r\n", [("ana@example.org", "Ana Silva")]),
        ("ana@example.org\tAna\n\n\nben@example.org", [("ana@example.org", "Ana"), ("ben@example.org", "")]),
        ("Ana Silva <ana@example.org>", [("ana@example.org", "Ana Silva")]),
        ('"Silva, Ana",ana@example.org', [("ana@example.org", "Silva, Ana")]),
        ("\ufeffana@example.org,,\n", [("ana@example.org", "")]),
        (
            "Email Address,First Name,Last Name,Tags\nana@example.org,Ana,Silva,kt\nben@example.org,,,\n",
            [("ana@example.org", "Ana Silva"), ("ben@example.org", "")],
        ),
        ("id;Name;Organisation;E-mail\n7;Ana;A trust;ana@example.org\n", [("ana@example.org", "Ana")]),
        ("Name,Email,Contact email\nAna,ana@example.org,office@example.org\n", [("ana@example.org", "Ana")]),
        ("ana@example.org\rben@example.org", [("ana@example.org", ""), ("ben@example.org", "")]),
    ],
)
def test_lists_are_read_as_people_have_them(text, people):
    found = parse(text)
    assert (found.people, found.problems) == (people, [])


def test_each_problem_is_told_with_its_line():
    found = parse(
        "address,name\nana@example.org,Ana\nnot an address,Ben\n\nANA@example.org,Again\n"
        "cy@example.org,Cy,Third\n=1+1@example.org,=cmd()\ndi@example.org,=cmd|' /C calc'!A0\n"
        'eve@example.org,"never closed\nfay@example.org,Fay\ngil@example.org,<b>Gil</b>'
    )
    assert found.rows == [
        Row(2, "ana@example.org", "Ana"),
        Row(9, "eve@example.org", "never closed"),
        Row(10, "fay@example.org", "Fay"),
    ]
    assert [(problem.line, str(problem.words)) for problem in found.problems] == [
        (3, "This is not an e-mail address."),
        (5, "The same address as in line 2."),
        (6, "More than two columns: we need the address, and the name if you like."),
        (7, "The name begins like a formula. Please mend it, or leave it out."),
        (8, "The name begins like a formula. Please mend it, or leave it out."),
        (11, "Please give your name without an address or a link."),
    ]


@pytest.mark.parametrize(
    ("content", "text", "guessed"),
    [
        ("Zoë,z@example.org".encode(), "Zoë,z@example.org", False),
        ("Zoë,z@example.org".encode("utf-8-sig"), "Zoë,z@example.org", False),
        ("Zoë,z@example.org".encode("utf-16"), "Zoë,z@example.org", False),
        ("Zoë,z@example.org".encode("latin-1"), "Zoë,z@example.org", True),
    ],
)
def test_encodings(content, text, guessed):
    assert read_bytes(content) == (text, guessed)


@pytest.mark.parametrize("content", [b"PK\x03\x04\x00\x00", b"a" * 1_000_001, b"\xff\xfea"])
def test_what_is_no_text_is_refused(content):
    with pytest.raises(Unreadable):
        read_bytes(content)


def test_more_rows_than_we_take_are_refused():
    lines = [f"p{number}@example.org" for number in range(MOST_ROWS)]
    assert len(parse("\n".join(lines)).rows) == MOST_ROWS
    with pytest.raises(Unreadable):
        parse("\n".join([*lines, "one.more@example.org"]))


# --- the page --------------------------------------------------------------------------------------------------------
@pytest.fixture
def organiser(db):
    return make_member(name="Rosalind Achebe", is_organiser=True)


def fields(**changed):
    return {"name": "KM Forum", "basis": "list", "promise": "on", "text": "ana@example.org, Ana", **changed}


def send(visitor, **changed):
    checked = visitor.post(URL, fields(**changed))
    return visitor.post(URL, fields(text=checked.context["content"], send=checked.context["digest"]))


def test_nothing_is_sent_before_it_was_looked_at(organiser, signed_in):
    visitor = signed_in(organiser)
    response = visitor.post(URL, fields())
    assert response.status_code == 200
    assert "Invite 1 person" in response.content.decode()
    assert not Invitation.objects.exists()
    response = visitor.post(URL, fields(send=response.context["digest"]))
    assert response["Location"] == reverse("members:invitations")
    brought = BringIn.objects.get()
    assert (brought.confirmed_by, brought.basis, brought.rows, brought.promise_version) == (
        organiser, "list", 1, 1,
    )  # fmt: skip
    assert "nobody on the list has asked not to be written to" in brought.promise
    entry = AuditEntry.objects.get(verb="members.list_brought_in")
    assert (entry.actor, entry.data["rows"]) == (organiser, 1)
    assert Member.objects.count() == 1  # no account without their act


def test_a_list_that_was_changed_after_the_look_is_looked_at_again(organiser, signed_in):
    visitor = signed_in(organiser)
    digest = visitor.post(URL, fields()).context["digest"]
    response = visitor.post(URL, fields(text="ana@example.org, Ana\nben@example.org", send=digest))
    assert "Invite 2 people" in response.content.decode()
    assert not Invitation.objects.exists()


def test_problems_are_shown_row_by_row_and_the_rest_can_be_invited(organiser, signed_in):
    visitor = signed_in(organiser)
    response = visitor.post(URL, fields(text="ana@example.org\n<script>alert(1)</script>\nben@example.org"))
    page = response.content.decode()
    assert response.status_code == 422
    assert "<script>alert" not in page
    assert "Leave those out, and invite 2 people" in page
    visitor.post(URL, fields(text=response.context["content"], send=response.context["digest"]))
    assert Invitation.objects.count() == 2


def test_only_problems_cannot_be_sent(organiser, signed_in):
    response = signed_in(organiser).post(URL, fields(text="nobody", send="x"))
    assert response.status_code == 422
    assert 'name="send"' not in response.content.decode()


def test_a_file_is_read_and_can_be_mended_in_the_page(organiser, signed_in):
    upload = SimpleUploadedFile("list.csv", "Zoë;z@example.org\nbroken".encode("latin-1"))
    visitor = signed_in(organiser)
    response = visitor.post(URL, {**fields(text=""), "file": upload})
    assert response.status_code == 422
    assert "Latin-1" in response.content.decode()
    page = visitor.post(URL, fields(text=response.context["content"], change="1")).content.decode()
    assert "Zoë;z@example.org" in page


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"text": ""}, "text"), ({"promise": ""}, "promise"), ({"basis": "because"}, "basis"), ({"name": ""}, "name")],
)  # fmt: skip
def test_what_is_missing_is_said_and_nothing_typed_is_lost(changed, field, organiser, signed_in):
    response = signed_in(organiser).post(URL, fields(**changed))
    assert response.status_code == 422
    assert field in response.context["form"].errors
    page = response.content.decode()
    assert changed.get("name", "KM Forum") in page
    assert changed.get("text", "ana@example.org, Ana") in page


def test_binary_files_are_refused_at_the_field(organiser, signed_in):
    upload = SimpleUploadedFile("list.xlsx", b"PK\x03\x04\x00\x00\x00")
    response = signed_in(organiser).post(URL, {**fields(text=""), "file": upload})
    assert "file" in response.context["form"].errors


# --- what happens then -----------------------------------------------------------------------------------------------
def test_each_gets_one_invitation_and_one_reminder(organiser, signed_in):
    send(signed_in(organiser), text="ana@example.org, Ana\nben@example.org, Ben")
    for _beat in range(3):
        keep_invitations()
    assert {letter["To"] for letter in send_due()} == {"ana@example.org", "ben@example.org"}
    [letter] = send_due(to="ana@example.org")
    assert "KM Forum" in text_of(letter)
    assert letter["List-Unsubscribe-Post"]

    long_ago = timezone.now() - timedelta(days=8)
    Invitation.objects.update(mailed_at=long_ago)
    for _beat in range(3):
        keep_invitations()
    letters = send_due(to="ana@example.org")
    assert [letter["Subject"] for letter in letters] == [
        "Rosalind Achebe invites you to kmnet",
        "Once more: your invitation to kmnet",
    ]
    tokens = [next(link for link in links_in(one) if "invited" in link).split("/")[-2] for one in letters]
    assert len(set(tokens)) == 2
    assert all(services.find_invitation(token) for token in tokens)  # the first mail's link works too
    Invitation.objects.update(reminded_at=long_ago)
    keep_invitations()
    assert len(send_due(to="ana@example.org")) == 2


def test_whom_one_person_invited_is_not_reminded(organiser):
    services.invite_address(by=organiser, address="ana@example.org")
    Invitation.objects.update(mailed_at=timezone.now() - timedelta(days=8))
    keep_invitations()
    assert len(send_due(to="ana@example.org")) == 1


def test_who_came_or_wants_none_or_is_here_is_not_written_to(organiser, signed_in):
    make_member(email="here@example.org")
    services.invite_address(by=organiser, address="never@example.org")
    services.never_invite(invitation=Invitation.objects.get())
    send(signed_in(organiser), text="here@example.org\nNEVER@example.org\ncame@example.org\nnew@example.org")
    keep_invitations()
    assert sorted(letter["To"] for letter in send_due()) == ["came@example.org", "new@example.org"]
    InvitationUse.objects.create(
        invitation=Invitation.objects.get(address="came@example.org"), member=make_member()
    )
    Invitation.objects.update(mailed_at=timezone.now() - timedelta(days=8))
    keep_invitations()
    assert sorted(letter["To"] for letter in send_due()) == [
        "came@example.org", "new@example.org", "new@example.org",
    ]  # fmt: skip
    reasons = OutgoingMail.objects.filter(state="withheld").values_list("reason", flat=True)
    assert set(reasons) >= {"they want no invitations", "somebody with this address is here already"}


def test_known_and_unknown_addresses_look_the_same(organiser, signed_in):
    make_member(email="here@example.org")
    visitor = signed_in(organiser)
    pages = []
    for address in ("here@example.org", "away@example.org"):
        page = visitor.post(URL, fields(text=address)).content.decode()
        pages.append(page.replace(address, "…").split("<main")[1].split('name="send"')[0])
    strip = [page.partition("csrfmiddlewaretoken")[0] for page in pages]
    assert strip[0] == strip[1]
    for address in ("here@example.org", "away@example.org"):
        response = send(visitor, text=address, name=address[:4])
        assert response["Location"] == reverse("members:invitations")
    assert list(BringIn.objects.order_by("pk").values_list("rows", flat=True)) == [1, 1]
    assert Invitation.objects.count() == 2


def test_a_second_list_does_not_invite_the_same_people_again(organiser, signed_in):
    visitor = signed_in(organiser)
    send(visitor, text="ana@example.org")
    keep_invitations()
    send_due()
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=40))
    services.forget_old_invitations()
    send(visitor, text="Ana@Example.org\nben@example.org")
    keep_invitations()
    assert sorted(letter["To"] for letter in send_due()) == ["ana@example.org", "ben@example.org"]


def test_mails_of_a_list_go_out_in_steps(organiser):
    people = [(f"p{number}@example.org", "") for number in range(AT_ONCE + 5)]
    services.bring_in_list(by=organiser, name="x", basis="asked", promise="x", people=people)
    assert services.mail_waiting_invitations() == AT_ONCE
    assert services.mail_waiting_invitations() == 5
    assert services.mail_waiting_invitations() == 0
    assert OutgoingMail.objects.filter(bulk=True).count() == AT_ONCE + 5


def test_a_cell_beyond_all_measure_is_one_problem():
    found = parse("ana@example.org\n" + "x" * 200_000 + "\nb\u0131ll@example.org\n" + "(" * 20_000 + "<")
    assert found.people == [("ana@example.org", "")]
    assert [problem.line for problem in found.problems] == [2, 3, 4]

"""`/messages/`: what the pages show and to whom, what they refuse and keep, and what they cost."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from discussions import services
from discussions.models import Post, PostFile, ReadState, Thread, ThreadWatch
from members import services as members
from tests.factories import make_member
from tests.factories.discussions import make_message

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return make_member(name="Ana Sousa", handle="ana")


@pytest.fixture
def per():
    return make_member(name="Per Lind", handle="per")


def signed_in(member) -> Client:
    client = Client()
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text_of(response) -> str:
    return response.content.decode()


def new(client, **data):
    return client.post(reverse("messages:new"), data)


# --- beginning and answering -----------------------------------------------------------------------------------------
def test_write_read_and_answer(ana, per):
    asking = signed_in(ana)
    sent = new(asking, to=["per"], body="Would you **look** at my draft?")
    thread = Thread.objects.get(kind="conversation")
    assert (sent.status_code, sent["Location"]) == (302, f"/messages/{thread.pk}/?post=1#post-1")
    answering = signed_in(per)
    assert "1 new" in text_of(answering.get("/messages/"))
    page = text_of(answering.get(thread.get_absolute_url()))
    assert "<strong>look</strong>" in page
    assert ReadState.objects.get(member=per, thread=thread).numbers == [(1, 2)]
    assert "1 new" not in text_of(answering.get("/messages/"))
    answer = answering.post(thread.get_absolute_url(), {"body": "Gladly."})
    assert answer["Location"] == f"/messages/{thread.pk}/?post=2#post-2"
    assert "Gladly." in text_of(asking.get("/messages/?show=unread"))
    assert "Gladly." in text_of(asking.get(answer["Location"]))


def test_the_button_on_a_profile_leads_to_the_form_or_to_the_talk_that_is_there(ana, per):
    client = signed_in(ana)
    link = reverse("messages:new") + "?to=per"
    assert f'href="{link}"' in text_of(client.get(per.get_absolute_url()))
    form = text_of(client.get(link))
    assert re.search(r'name="to" value="per" checked', form)
    thread = make_message(per, ana).thread
    assert client.get(link)["Location"] == f"{thread.get_absolute_url()}#reply"


@pytest.mark.parametrize("viewer", [{"status": "silenced"}, None])
def test_no_button_for_who_cannot_write_nor_on_ones_own_page(per, viewer):
    reader = make_member(**viewer) if viewer else per
    assert "/messages/new/" not in text_of(signed_in(reader).get(per.get_absolute_url()))


def test_people_are_found_by_name_and_kept_while_the_next_is_sought(ana, per):
    client = signed_in(ana)
    make_member(name="Pernille Gade", handle="pernille", profile={"is_listed": False})
    page = text_of(new(client, find="1", q="per", body="Half a sentence"))
    assert 'value="per">' in page
    assert "pernille" not in page
    assert "Half a sentence" in page
    page = text_of(new(client, find="1", q="@pernille", to=["per"]))
    assert re.findall(r'name="to" value="(\w+)"( checked)?', page) == [("per", " checked"), ("pernille", "")]
    partial = text_of(client.get(reverse("messages:people"), {"q": "lind", "to": "ana"}))
    assert re.findall(r'name="to" value="(\w+)"', partial) == ["per"]
    assert "<html" not in partial


def test_what_is_refused_keeps_the_text(ana, per):
    client = signed_in(ana)
    nobody = new(client, body="To whom?")
    assert (nobody.status_code, "To whom?" in text_of(nobody)) == (422, True)
    empty = new(client, to=["per"], body="  ")
    assert empty.status_code == 422
    unknown = new(client, to=["nobody-here"], body="Hello?")
    assert (unknown.status_code, "cannot be found" in text_of(unknown)) == (422, True)
    members.set_boundary(owner=per, other=ana, distance="block")
    blocked = new(client, to=["per"], body="Still there?")
    assert blocked.status_code == 409
    assert "You cannot write to Per Lind at the moment." in text_of(blocked)
    assert "Still there?" in text_of(blocked)
    assert "block" not in re.sub(r"<[^>]+>", "", text_of(blocked)).lower()
    assert not Thread.objects.exists()


def test_nine_people_are_too_many(ana):
    handles = [make_member().handle for _number in range(8)]
    answer = new(signed_in(ana), to=handles, body="All of you!")
    assert (answer.status_code, "you have chosen 8" in text_of(answer)) == (422, True)


def test_a_limit_is_said_at_the_field_with_429(ana, per, ruled):
    ruled(messages_per_hour=1)
    thread = make_message(ana, per).thread
    client = signed_in(ana)
    for answer in (
        client.post(thread.get_absolute_url(), {"body": "And one more."}),
        new(client, to=[make_member().handle], body="And one more."),
    ):
        assert answer.status_code == 429
        assert "the most for one person. You can go on from" in text_of(answer)
        assert "And one more." in text_of(answer)


def test_after_a_block_the_page_stays_and_takes_no_message(ana, per):
    thread = make_message(ana, per).thread
    members.set_boundary(owner=per, other=ana, distance="block")
    client = signed_in(ana)
    page = text_of(client.get(thread.get_absolute_url()))
    assert "You cannot write to each other here at the moment." in page
    assert "<textarea" not in page
    answer = client.post(thread.get_absolute_url(), {"body": "Why?"})
    assert (answer.status_code, "Why?" in text_of(answer)) == (409, True)


def test_words_of_who_is_blocked_are_folded_away_in_a_larger_talk(ana, per):
    third = make_member(name="Kofi Mensah")
    thread = make_message(ana, per, third).thread
    make_message(third, thread=thread, source="Unwanted words.")
    members.set_boundary(owner=ana, other=third, distance="block")
    page = text_of(signed_in(ana).get(thread.get_absolute_url()))
    assert "Words of somebody you ignore" in page
    assert "Unwanted words." not in text_of(signed_in(ana).get("/messages/"))
    assert "Unwanted words." in text_of(signed_in(per).get("/messages/"))


def test_a_preview_sends_nothing(ana, per):
    thread = make_message(ana, per).thread
    page = text_of(
        signed_in(ana).post(thread.get_absolute_url(), {"body": "Is *this* right?", "view": "preview"})
    )
    assert "Is <em>this</em> right?" in page
    assert thread.posts.count() == 1


def test_editing_and_taking_back(ana, per):
    post = make_message(ana, per, source="First words.")
    last = make_message(ana, thread=post.thread, source="Last words.")
    writer, reader, here = signed_in(ana), signed_in(per), post.thread.get_absolute_url()
    stranger = signed_in(make_member(is_superuser=True, is_staff=True))
    for name in ("edit", "delete", "history"):
        address = reverse(f"discussions:{name}", args=[post.pk])
        page = text_of(writer.get(address))
        assert ("/messages/" in page, "/discussions/conversations/" in page) == (True, False)
        assert stranger.get(address).status_code == 404
    assert reader.get(reverse("discussions:history", args=[post.pk])).status_code == 200
    assert (
        writer.post(reverse("discussions:edit", args=[post.pk]), {"body": "Better words."}).status_code == 302
    )
    assert "Better words." in text_of(reader.get(here))
    for one in (post, last):
        assert writer.post(reverse("discussions:delete", args=[one.pk])).status_code == 302
    assert "words." not in text_of(reader.get(here))
    assert "You took a message back." in text_of(writer.get(here))
    assert writer.post(reverse("discussions:undelete", args=[last.pk])).status_code == 302
    assert "Last words." in text_of(reader.get(here))
    assert "Last words." in text_of(reader.get("/messages/"))


def test_a_draft_is_kept_offered_and_gone_once_it_is_sent(ana, per):
    thread, client = make_message(ana, per).thread, signed_in(ana)
    for place, address in (
        (f"reply:{thread.pk}", thread.get_absolute_url()),
        ("message", reverse("messages:new")),
    ):
        assert client.post(address, {"body": "Half a thought", "view": "draft"}).status_code == 302
        draft = ana.drafts.get(key=place)
        assert f"{address}?draft=0" in text_of(client.get(reverse("discussions:drafts")))
        assert "You began to write here" in text_of(client.get(address))
        assert "Half a thought" in text_of(client.get(address, {"draft": 0}))
        data = {"body": "A whole one.", "to": [per.handle], "draft_revision": draft.revision}
        assert client.post(address, data).status_code == 302
        assert not ana.drafts.exists()
    stranger = signed_in(make_member())
    data = {"key": f"reply:{thread.pk}", "body": "Let me in"}
    assert stranger.post(reverse("discussions:draft_save"), data).status_code == 404


def test_a_file_in_a_message_is_for_those_who_read_it(ana, per):
    thread = make_message(ana, per).thread
    client, upload = signed_in(ana), SimpleUploadedFile("plan.txt", b"Our plan.")
    client.post(thread.get_absolute_url(), {"body": "Here it is.", "file": upload})
    kept = PostFile.objects.get()
    assert (kept.post.thread, kept.post.number) == (thread, 2)
    address = reverse("discussions:file", args=[kept.key, kept.name])
    admin = make_member(is_superuser=True, is_staff=True)
    for who, status in ((ana, 200), (per, 200), (admin, 404)):
        answer = signed_in(who).get(address)
        assert answer.status_code == status
        assert status == 404 or b"".join(answer.streaming_content) == b"Our plan."


# --- coming, going, muting -------------------------------------------------------------------------------------------
def test_bringing_somebody_in(ana, per):
    kofi = make_member(name="Kofi Mensah", handle="kofi")
    thread = make_message(ana, per, source="Before you came.").thread
    client = signed_in(ana)
    found = text_of(client.get(reverse("messages:add", args=[thread.pk]), {"q": "kofi"}))
    assert 'value="kofi"' in found
    assert client.post(reverse("messages:add", args=[thread.pk]), {"handle": "kofi"}).status_code == 302
    for reader, sees in ((per, True), (kofi, False)):
        page = text_of(signed_in(reader).get(thread.get_absolute_url()))
        assert "Ana Sousa brought in Kofi Mensah, who reads from here on" in page
        assert ("Before you came." in page) is sees
    assert "Before you came." not in text_of(signed_in(kofi).get("/messages/"))
    make_message(per, thread=thread, source="Welcome, Kofi.")
    assert "Welcome, Kofi." in text_of(signed_in(kofi).get(thread.get_absolute_url()))


def test_who_cannot_be_brought_in_is_refused_in_one_sentence(ana, per):
    blocker, gone = make_member(handle="blocker", name="Bo B"), make_member(handle="gone", name="Go N")
    thread = make_message(ana, per, gone).thread
    members.set_boundary(owner=blocker, other=ana, distance="block")
    services.leave_conversation(member=gone, thread=thread)
    client = signed_in(ana)
    said = [
        text_of(client.post(reverse("messages:add", args=[thread.pk]), {"handle": who.handle}))
        for who in (blocker, gone)
    ]
    assert ["Bo B cannot be brought in." in said[0], "Go N cannot be brought in." in said[1]] == [True, True]
    unknown = client.post(reverse("messages:add", args=[thread.pk]), {"handle": "who"})
    assert unknown.status_code == 409


def test_leaving(ana, per):
    thread = make_message(ana, per, source="First words.").thread
    client = signed_in(per)
    assert "nobody can bring you back" in text_of(client.get(reverse("messages:leave", args=[thread.pk])))
    assert thread.participants.staying().count() == 2
    assert client.post(reverse("messages:leave", args=[thread.pk]))["Location"] == "/messages/"
    make = client.get(thread.get_absolute_url())
    assert "You have left this conversation" in text_of(make)
    assert "First words." in text_of(make)
    assert thread.get_absolute_url() not in text_of(client.get("/messages/"))
    assert thread.get_absolute_url() in text_of(client.get("/messages/?show=left"))
    assert "Per Lind left" in text_of(signed_in(ana).get(thread.get_absolute_url()))
    assert client.get(reverse("messages:add", args=[thread.pk])).status_code == 403


def test_muting_for_a_while(ana, per):
    thread = make_message(ana, per).thread
    client = signed_in(per)
    client.post(reverse("messages:mute", args=[thread.pk]), {"mute": "week"})
    watch = ThreadWatch.objects.get(member=per, thread=thread)
    assert timedelta(days=6) < watch.until - timezone.now() < timedelta(days=8)
    assert "Muted" in text_of(client.get("/messages/"))
    ThreadWatch.objects.update(until=timezone.now() - timedelta(minutes=1))
    assert "Muted" not in text_of(client.get("/messages/"))
    client.post(reverse("messages:mute", args=[thread.pk]), {"mute": "off"})
    assert not ThreadWatch.objects.exists()


# --- long ones, and what they cost -----------------------------------------------------------------------------------
def long_talk(one, other, count: int) -> Thread:
    """As many messages, written into the table."""
    thread = make_message(one, other).thread
    first = thread.posts.get()
    rows = [
        Post(
            thread=thread,
            number=number,
            path=[number],
            author=one if number % 2 else other,
            source=f"Line {number}.",
            html=f"<p>Line {number}.</p>",
            published_at=first.published_at,
        )
        for number in range(2, count + 1)
    ]
    Post.objects.bulk_create(rows)
    Thread.objects.filter(pk=thread.pk).update(last_number=count, last_post=rows[-1] if rows else first)
    return thread


def lines(response) -> list[int]:
    return [int(number) for number in re.findall(r'<article class="post" id="post-(\d+)"', text_of(response))]


def test_a_long_talk_opens_at_its_end_or_at_what_is_unread(ana, per):
    thread = long_talk(ana, per, 60)
    client, here = signed_in(ana), thread.get_absolute_url()
    assert lines(signed_in(per).get(here)) == list(range(1, 21))  # never opened: all is unread
    ReadState.objects.update(numbers=[(1, 61)])
    assert lines(client.get(here)) == list(range(41, 61))
    assert lines(client.get(f"{here}?before=41")) == list(range(21, 41))
    assert lines(client.get(f"{here}?after=20")) == list(range(21, 41))
    assert lines(client.get(f"{here}?post=10")) == list(range(7, 27))
    ReadState.objects.filter(member=ana).update(numbers=[(1, 31)])
    assert lines(client.get(here)) == list(range(28, 48))
    assert client.get(f"{here}?post=61").status_code == 404
    assert client.get(f"{here}?post=x").status_code == 404


def test_nothing_outside_of_ones_stretch_on_any_page(ana, per):
    thread = long_talk(ana, per, 30)
    kofi = make_member()
    services.add_person(actor=ana, thread=thread, member=kofi)
    for _number in range(25):
        make_message(per, thread=thread)
    services.leave_conversation(member=kofi, thread=thread)
    for _number in range(5):
        make_message(per, thread=thread)
    client, here = signed_in(kofi), thread.get_absolute_url()
    seen = set()
    for query in ("", "?before=45", "?after=1", "?post=3", "?post=58", "?after=54", "?before=31"):
        seen |= set(lines(client.get(here + query)))
    assert seen == set(range(31, 56))


@pytest.mark.parametrize("count", [1, 50])
def test_the_list_costs_the_same_at_any_length(ana, count, django_assert_max_num_queries):
    for _number in range(count):
        make_message(make_member(), ana)
    client = signed_in(ana)
    client.get("/messages/")
    with django_assert_max_num_queries(12) as counted:
        assert text_of(client.get("/messages/")).count("1 new") == min(count, 30)
    assert len(counted) == LIST_QUERIES


LIST_QUERIES = 4


@pytest.mark.parametrize("count", [1, 50])
def test_a_talk_costs_the_same_at_any_length(ana, per, count, django_assert_max_num_queries):
    thread = long_talk(ana, per, count)
    client = signed_in(ana)
    client.get(thread.get_absolute_url())
    ReadState.objects.filter(member=ana).update(numbers=[(1, count + 1)])
    with django_assert_max_num_queries(12) as counted:
        client.get(thread.get_absolute_url())
    assert len(counted) == TALK_QUERIES


TALK_QUERIES = 8

"""Writing by mail: replies, private messages and questions, with the rules of the pages; each refusal has its mail."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from discussions import services
from discussions.models import DiscussionSettings, Post, PostFile, Space, Thread
from kmnet.core import activity, inbound
from kmnet.core.inbound import working
from kmnet.core.inbound.receiving import store
from kmnet.core.models import Activity, MailChoice, OutgoingMail, ReceivedMail, ReplyAddress
from members.models import Status
from members.services import groups
from tests.factories import make_member
from tests.factories.discussions import make_message, make_space, make_thread
from tests.factories.groups import make_group
from tests.factories.resources import PDF
from tests.inbound import message, passed, receive
from tests.mailbox import send_due, text_of

pytestmark = pytest.mark.django_db
SIGNED = "I do it weekly.\n\n-- \nAna Sousa, +351 22 1234\n\nOn 22 Nov 2026 Maren <reply+x@kmnet.example> wrote:\n> How?\n"


@pytest.fixture
def ana():
    return make_member(name="Ana Sousa", joined_at=timezone.now() - timedelta(days=400))


@pytest.fixture
def thread():
    return make_thread()


@pytest.fixture
def address(ana, thread):
    return inbound.reply_address(member=ana, purpose="discussions.thread", target=thread)


def answers_to(member) -> list[str]:
    return [
        text_of(mail) for mail in send_due(to=member.email) if "We could not use your mail." in text_of(mail)
    ]


# --- replies ---------------------------------------------------------------------------------------------------------
def test_a_reply_by_mail_is_a_post_and_what_was_cut_stays_with_it(ana, thread, address):
    received = receive(ana, address, SIGNED)

    post = thread.posts.get(number=2)
    assert (post.author, post.source) == (ana, "I do it weekly.")
    assert post.cut_words == "--\nAna Sousa, +351 22 1234\n\n> On 22 Nov 2026 Maren <…> wrote:\n> How?"
    assert (received.state, received.member, received.result_id) == ("done", ana, post.pk)
    assert bytes(received.raw) == b""
    assert not OutgoingMail.objects.filter(kind__startswith="core.inbound").exists()
    ana.refresh_from_db()
    assert ana.last_seen_on == timezone.now().date()


def test_what_was_cut_is_shown_to_its_author_and_to_moderators_only(ana, thread, address, client):
    receive(ana, address, SIGNED)
    seen = {}
    for who, person in (
        ("author", ana),
        ("moderator", make_member(is_moderator=True)),
        ("other", make_member()),
    ):
        client.force_login(person)
        seen[who] = "+351 22 1234" in client.get(thread.get_absolute_url()).content.decode()
    assert seen == {"author": True, "moderator": True, "other": False}


def test_a_reply_stands_below_the_post_that_the_mail_told_of(ana, mailbox):
    thread = make_thread(author=ana, kind="question")
    reply = services.add_reply(author=make_member(), thread=thread, source="Try a ledger.")
    services.add_reply(author=make_member(), thread=thread, source="Or a map.", parent=reply)
    for deed in Activity.objects.waiting():
        activity.fan_out(activity_id=deed.pk)
    told = next(mail for mail in mailbox(to=ana.email) if "Try a ledger." in text_of(mail))

    receive(ana, told["Reply-To"], "Thanks!\n", headers=[("In-Reply-To", told["Message-ID"])])

    post = thread.posts.get(author=ana, number=4)
    assert (post.parent, post.source) == (reply, "Thanks!")


def told_together(ana, replies: int):
    """One mail about so many replies in Ana's thread, and the thread."""
    MailChoice.objects.create(member=ana, category="reply", how="bundled")
    thread = make_thread(author=ana, kind="question")
    for number in range(replies):
        services.add_reply(author=make_member(), thread=thread, source=f"Answer {number}.")
    for deed in Activity.objects.waiting():
        activity.fan_out(activity_id=deed.pk)
    now = timezone.now()
    OutgoingMail.objects.filter(member=ana).waiting().update(due_at=now, next_try_at=now)
    [mail] = send_due(to=ana.email)
    return mail, thread


@pytest.mark.parametrize("replies", [1, 3])
def test_a_mail_about_several_replies_in_one_thread_is_answered_there(ana, replies):
    mail, thread = told_together(ana, replies)
    assert (
        receive(ana, mail["Reply-To"], "Thanks!\n", headers=[("In-Reply-To", mail["Message-ID"])]).state
        == "done"
    )
    post = thread.posts.get(source="Thanks!")
    assert (post.parent and post.parent.number) == (2 if replies == 1 else None)


def test_the_same_mail_twice_is_one_post(ana, thread, address):
    raw = message(ana, address, message_id="<twice@mail.example.org>")
    first = store(raw, recipient=address, via="test")
    assert store(raw, recipient=address.upper(), via="test") is None
    working.work_on_received()
    assert store(raw, recipient=address, via="test") is None
    working.work_on_received()
    assert thread.posts.filter(author=ana).count() == 1
    assert ReceivedMail.objects.get() == first


def test_whoever_replies_from_another_proven_address_is_known_and_from_an_unproven_one_not(
    ana, thread, address
):
    ana.emailaddress_set.create(email="ana@second.example", verified=True, primary=False)
    ana.emailaddress_set.create(email="ana@third.example", verified=False, primary=False)
    assert receive("Ana <Ana@Second.example>", address).state == "done"
    assert receive("ana@third.example", address).reason == "not_yours"


def test_a_reply_without_a_name_keeps_no_signature(thread, ruled):
    ruled()
    DiscussionSettings.load().unmaskers.set([make_member(is_moderator=True), make_member(is_moderator=True)])
    asker = make_member(joined_at=timezone.now() - timedelta(days=400))
    masked = services.start_thread(
        author=asker,
        space=thread.space,
        kind="question",
        title="May I ask?",
        source="I am afraid to.",
        masked=True,
    )
    address = inbound.reply_address(member=asker, purpose="discussions.thread", target=masked)
    receive(asker, address, SIGNED)
    post = Post.objects.filter(thread=masked).order_by("pk").last()
    assert post.mask_id is not None
    assert (post.source, post.cut_words) == ("I do it weekly.", "")

    asker.name = "Ana Lima Duarte"
    asker.save()
    named_within = "What Ana Duarte and many others of us have often written there helps."
    for text, kept in (
        ("It helps.\n\nThanks, Ana\n", "It helps."),
        (
            "It helps.\n\nGreetings from\nAna Lima Duarte, librarian at the hospital of Recife\n",
            "It helps.\n\nGreetings from",
        ),
        (f"It helps.\n\nWrite to me: {asker.email}\n", "It helps."),
        ("It helps. Ana\n", "It helps."),
        (named_within, named_within),
        ("It helps.\n\nana", "It helps."),
        ("It helps.\nAnd the lima beans, too.", "It helps.\nAnd the lima beans, too."),
    ):
        assert receive(asker, address, text).state == "done"
        assert Post.objects.filter(thread=masked).order_by("pk").last().source == kept
    assert receive(asker, address, "Ana\n").reason == "empty"


def test_the_same_words_sent_again_are_posted_once(ana, thread, address):
    """By hand, or by an assistant that does not say that it is one: two of these would write to each other for ever."""
    away = "I am at the seaside until the first of the month.\n"
    assert [receive(ana, address, away).reason for _time in range(3)] == ["", "said_already", "said_already"]
    assert thread.posts.filter(author=ana).count() == 1
    assert [receive(ana, address, "Yes.\n").reason for _time in range(2)] == ["", ""]
    first = make_message(ana, make_member())
    talk = inbound.reply_address(member=ana, purpose="discussions.message", target=first.thread)
    assert [receive(ana, talk, away).reason for _time in range(2)] == ["", "said_already"]
    services.delete_post(actor=ana, post=thread.posts.filter(author=ana).first())
    assert receive(ana, address, away).reason == ""


def test_files_come_along_as_uploads_and_one_that_is_refused_refuses_the_mail(ana, thread, address):
    receive(ana, address, "See the guide.\n", files=[("guide.pdf", "application/pdf", PDF)])
    post = thread.posts.get(number=2)
    kept = PostFile.objects.get()
    assert (kept.post, kept.name, kept.uploader) == (post, "guide.pdf", ana)
    assert post.source == f"See the guide.\n\n[guide.pdf](/discussions/files/{kept.key}/guide.pdf)"

    before = set(default_storage.listdir("posts")[1])
    files = [("good.pdf", "application/pdf", PDF), ("bad.exe", "application/octet-stream", b"MZ")]
    received = receive(ana, address, "See these.\n", files=files)
    assert received.reason == "file"
    assert received.note.startswith("bad.exe: Files of this kind cannot be taken.")
    assert PostFile.objects.count() == 1
    assert set(default_storage.listdir("posts")[1]) == before
    [told] = answers_to(ana)
    assert "See these." in told


def test_a_first_reply_is_held_as_on_the_page_and_its_writer_is_told(thread, ruled):
    ruled(held_posts=1)
    newcomer = make_member()
    address = inbound.reply_address(member=newcomer, purpose="discussions.thread", target=thread)
    receive(newcomer, address)
    post = thread.posts.get(author=newcomer)
    assert (post.state, post.number) == ("held", None)
    [told] = [mail for mail in send_due(to=newcomer.email) if mail["Subject"] == "We have your mail"]
    assert "A moderator looks at the first words of everybody who is new here." in text_of(told)


# --- refusals: each is a mail with its reason, and the words come back ------------------------------------------------
def close(thread, ana):
    services.close_thread(thread=thread, actor=make_member(is_moderator=True), reason="Settled.")


def hide(thread, ana):
    Thread.objects.filter(pk=thread.pk).update(state="hidden")


def silence(thread, ana):
    ana.status = Status.SILENCED
    ana.save()


def delete(thread, ana):
    Thread.objects.filter(pk=thread.pk).update(last_post=None)
    Post.objects.filter(thread=thread).delete()
    thread.delete()


def pend(thread, ana):
    ana.status = Status.PENDING
    ana.save()


def let_pass(thread, ana):
    ReplyAddress.objects.update(expires_at=timezone.now() - timedelta(days=1))


def revoke(thread, ana):
    inbound.revoke(member=ana, why="leaving")


def slow(thread, ana):
    thread.posts.create(
        author=ana, number=2, path=[2], source="x", html="x", published_at=timezone.now(), submit_key=uuid4()
    )
    Thread.objects.filter(pk=thread.pk).update(slow_seconds=3600, last_number=2)


@pytest.mark.parametrize(
    ("before", "reason", "said"),
    [
        (close, "closed", "The discussion was closed before your reply came."),
        (hide, "gone", "What you answered is not there any more"),
        (delete, "gone", "What you answered is not there any more"),
        (silence, "may_not_write", "You can read there, but not write."),
        (pend, "account", "Your account cannot write at the moment."),
        (let_pass, "address_ended", "reply addresses last for 90 days"),
        (revoke, "address_ended", "reply addresses last for 90 days"),
        (slow, "limit", "This thread is in slow mode"),
    ],
)
def test_what_the_page_would_refuse_is_refused_with_a_reason(ana, thread, address, before, reason, said):
    before(thread, ana)
    count = Post.objects.filter(author=ana).count()

    received = receive(ana, address, "My careful words.\n", subject="Re: How?")

    assert (received.state, received.reason) == ("rejected", reason)
    assert Post.objects.filter(author=ana).count() == count
    [told] = answers_to(ana)
    assert said in " ".join(told.split())
    assert "My careful words." in told
    [mail] = [one for one in send_due(to=ana.email) if one["Subject"] == "Not posted: Re: How?"]
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["In-Reply-To"] == received.message_id


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\n", "empty"),
        ("-- \nAna\n", "only_quoted"),
        ("On 22 Nov 2026 at 10:02, Maren wrote:\n> Hello\n", "only_quoted"),
        ("word " * 11_000, "too_long"),
    ],
)
def test_a_mail_without_usable_words_is_refused(ana, thread, address, text, reason):
    assert receive(ana, address, text).reason == reason
    assert thread.posts.count() == 1
    assert len(answers_to(ana)) == 1


def test_an_encrypted_mail_is_refused(ana, address):
    raw = message(ana, address).replace(
        b'Content-Type: text/plain; charset="utf-8"', b'Content-Type: multipart/encrypted; boundary="x"'
    )
    store(raw, recipient=address, via="test")
    working.work_on_received()
    assert ReceivedMail.objects.get().reason == "encrypted"


def test_a_thread_that_was_merged_takes_the_reply_along(ana, thread, address):
    other = make_thread(space=thread.space)
    services.merge_thread(
        thread=thread, into=other, actor=make_member(is_moderator=True), reason="The same question."
    )
    assert receive(ana, address, "Still true.\n").state == "done"
    assert other.posts.filter(source="Still true.").exists()


# --- private messages ------------------------------------------------------------------------------------------------
def test_who_has_left_a_group_is_not_led_there_and_its_title_is_not_told(ana):
    group = make_group(ana)
    thread = make_thread(space=make_space(readable_by="group", group=group), author=ana, title="Secretword?")
    address = inbound.reply_address(member=ana, purpose="discussions.thread", target=thread)
    receive(ana, address, "\n")
    assert "secretword" in answers_to(ana)[-1].lower()  # as long as it is hers to see
    groups.leave_group(member=ana, group=group)
    assert receive(ana, address).reason == "gone"
    assert "secretword" not in answers_to(ana)[-1].lower()


def test_a_private_message_is_answered_by_mail_and_nobody_else_reads_it(ana):
    per = make_member()
    first = make_message(per, ana)
    address = inbound.reply_address(member=ana, purpose="discussions.message", target=first.thread)
    assert receive(ana, address, "Between us: yes.\n").state == "done"
    post = first.thread.posts.get(number=2)
    assert (post.author, post.source) == (ana, "Between us: yes.")


def test_what_was_cut_from_a_message_is_for_its_writer_alone(ana, client):
    per = make_member()
    first = make_message(per, ana)
    address = inbound.reply_address(member=ana, purpose="discussions.message", target=first.thread)
    receive(ana, address, SIGNED)
    seen = []
    for person in (ana, per):
        client.force_login(person)
        page = client.get(f"/messages/{first.thread_id}/").content.decode()
        seen.append(("I do it weekly." in page, "+351 22 1234" in page))
    assert seen == [(True, True), (True, False)]


def test_a_conversation_that_is_over_takes_no_message(ana):
    per = make_member()
    first = make_message(per, ana)
    address = inbound.reply_address(member=ana, purpose="discussions.message", target=first.thread)
    services.leave_conversation(member=per, thread=first.thread)
    assert receive(ana, address).reason == "conversation_over"
    services.leave_conversation(member=ana, thread=first.thread)
    assert receive(ana, address).reason == "conversation_over"
    assert first.thread.posts.count() == 1
    assert len(answers_to(ana)) == 2


# --- asking ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def ask_here(settings):
    settings.INBOUND_AUTHSERV_ID = "mx.kmnet.example"
    Space.objects.update(first_kind="discussion")
    return make_space(first_kind="question")


def test_a_question_by_mail_whose_sender_is_proven_is_out_at_once(ana, ask_here):
    received = receive(
        ana, "ask@kmnet.example", "Who has done it?\n", subject="Re: How do you count?", headers=[passed(ana)]
    )
    thread = Thread.objects.get(author=ana)
    assert (thread.title, thread.kind, thread.space, thread.state) == (
        "How do you count?",
        "question",
        ask_here,
        "visible",
    )
    assert (received.state, received.authenticated) == ("done", "dkim spf")
    [told] = [mail for mail in send_due(to=ana.email) if mail["Subject"] == "We have your mail"]
    assert thread.get_absolute_url() in text_of(told)


@pytest.mark.parametrize(
    "header",
    [
        None,
        ("Authentication-Results", "mx.kmnet.example; dkim=fail header.d=example.org"),
        ("Authentication-Results", "mx.elsewhere.example; dkim=pass header.d=example.org"),
        ("Authentication-Results", "mx.kmnet.example; dkim=pass header.d=spammer.example"),
        ("Authentication-Results", "mx.kmnet.example; spf=pass smtp.mailfrom=spammer.example"),
    ],
)
def test_a_question_that_nothing_proves_waits_for_a_moderator(ana, ask_here, header):
    received = receive(
        ana, "ask@kmnet.example", subject="How do you count?", headers=[header] if header else []
    )
    post = Post.objects.get(author=ana)
    assert (post.state, post.held_for, post.thread.state) == ("held", "mail", "held")
    assert (received.state, received.reason) == ("held", "unproven")
    [told] = [mail for mail in send_due(to=ana.email) if mail["Subject"] == "We have your mail"]
    assert "Nothing proves that the mail came from you" in text_of(told)
    services.release_post(post=post, actor=make_member(is_moderator=True), reason="Hers.")
    assert Thread.objects.get(author=ana).state == "visible"


def test_in_a_members_name_others_cannot_use_up_what_they_may_ask(ana, ask_here):
    said = [receive(ana, "ask@kmnet.example", subject=f"Number {number}?").reason for number in range(4)]
    assert said == ["unproven", "unproven", "limit", "limit"]
    assert receive(ana, "ask@kmnet.example", subject="My own?", headers=[passed(ana)]).state == "done"


def test_the_form_tells_how_to_ask_by_mail(ana, client, settings):
    client.force_login(ana)
    space = make_space()
    assert "mailto:ask@kmnet.example" in client.get("/discussions/ask/").content.decode()
    url = f"/discussions/{space.slug}/ask/"
    assert f"mailto:ask+{space.slug}@kmnet.example" in client.get(url).content.decode()
    settings.INBOUND_MAIL = False
    assert "mailto:ask" not in client.get(url).content.decode()


def test_asking_in_a_space_by_its_name(ana, ask_here):
    other = make_space(slug="methods")
    receive(ana, "ask+methods@kmnet.example", subject="How do you count?", headers=[passed(ana)])
    assert Thread.objects.get(author=ana).space == other
    refused = receive(ana, "ask+nowhere@kmnet.example", subject="How do you count?", headers=[passed(ana)])
    assert refused.reason == "no_space"


def test_a_question_needs_a_subject_and_a_member(ana, ask_here):
    assert receive(ana, "ask@kmnet.example", subject="Re:", headers=[passed(ana)]).reason == "no_subject"
    stranger = "nobody@example.org"
    assert (
        receive(stranger, "ask@kmnet.example", subject="How?", headers=[passed(stranger)]).reason
        == "unknown_sender"
    )
    assert not Thread.objects.filter(posts__source="Yes, like this.").exists()

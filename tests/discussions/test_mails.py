"""Who hears of what, and the mails as their receivers get them."""

import pytest
from django.conf import settings

from discussions import services
from kmnet.core import activity
from kmnet.core.models import Activity, Notification, OutgoingMail
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.mailbox import html_of, text_of

pytestmark = pytest.mark.django_db


def tell():
    """What the workers would do after each commit."""
    for deed in Activity.objects.waiting().order_by("pk"):
        activity.fan_out(activity_id=deed.pk)


def told():
    tell()
    return set(Notification.objects.values_list("recipient", "activity__verb"))


def test_asker_hears_of_a_reply_and_nobody_else():
    thread = make_thread()
    make_member()
    make_post(thread=thread)
    assert told() == {(thread.author_id, "discussions.replied")}


def test_who_is_answered_hears_and_the_actor_never():
    asker, helper = make_member(), make_member()
    thread = make_thread(author=asker)
    answer = make_post(thread=thread, author=helper)
    tell()
    make_post(thread=thread, author=asker, parent=answer)
    make_post(thread=thread, author=asker)
    assert told() == {(asker.pk, "discussions.replied"), (helper.pk, "discussions.replied")}
    assert Notification.objects.count() == 2


def test_watchers_hear_and_who_muted_does_not():
    thread, watcher = make_thread(), make_member()
    services.set_watch(member=watcher, thread=thread, level="watching")
    services.set_watch(member=thread.author, thread=thread, level="muted")
    make_post(thread=thread)
    assert told() == {(watcher.pk, "discussions.replied")}


def test_who_may_not_see_it_any_more_does_not_hear():
    thread = make_thread(space=make_space(readable_by="members"))
    asker = thread.author
    make_post(thread=thread)
    type(asker).objects.filter(pk=asker.pk).update(status="suspended", is_active=False)
    assert told() == set()


def test_reply_hidden_before_the_telling_is_not_told():
    post = make_post()
    services.hide_post(post=post, actor=make_member(is_moderator=True), reason="Spam.")
    assert told() == set()


def test_reply_mail_carries_the_reply(mailbox):
    asker = make_member(name="Rosalind Achebe", time_zone="Europe/London")
    helper = make_member(name="Maren de Wit")
    thread = make_thread(author=asker, title="How do you report “relationships built”?")
    post = make_post(
        thread=thread,
        author=helper,
        source="We count **what travelled along them** & keep [a ledger](/library/1-ledger/).\n\n- one\n- two",
    )
    tell()
    message = mailbox(to=asker.email)[0]
    link = f"{settings.SITE_URL}{thread.get_absolute_url()}?post=2#post-2"

    assert str(message["Subject"]) == "Maren de Wit answered: How do you report “relationships built”?"
    assert message["From"].addresses[0].display_name.startswith("Maren de Wit")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text = text_of(message).replace("\r\n", "\n")
    assert "Maren de Wit answered your question." in text
    assert post.source in text
    assert link in text
    assert "You get this because you asked the question." in text
    html = html_of(message)
    assert "<strong>what travelled along them</strong>" in html
    assert f'href="{settings.SITE_URL}/library/1-ledger/"' in html
    assert link in html
    assert "Choose it as the answer" in html
    assert "<script" not in html


def test_reply_to_a_reply_says_so(mailbox):
    thread, helper = make_thread(), make_member()
    answer = make_post(thread=thread, author=helper)
    make_post(thread=thread, author=make_member(name="Ada"), parent=answer)
    tell()
    message = mailbox(to=helper.email)[0]
    assert str(message["Subject"]) == f"Ada replied to you: {thread.title}"
    assert "You get this because it answers what you wrote." in text_of(message)
    assert "Choose it as the answer" not in html_of(message)


def test_markup_in_a_name_or_title_stays_text(mailbox):
    thread = make_thread(title="<script>alert(1)</script> & more", author=make_member())
    helper = make_member()
    type(helper).objects.filter(pk=helper.pk).update(name="<b>Ada</b>")  # no form lets it in
    make_post(thread=thread, author=helper, source="<script>alert(2)</script>")
    tell()
    message = mailbox()[0]
    assert "<script" not in html_of(message)
    assert "<b>Ada" not in html_of(message)
    assert "<script>alert(1)</script> & more" in text_of(message)


def withheld():
    return OutgoingMail.objects.get().reason


def test_reply_read_meanwhile_is_not_mailed(client, mailbox):
    thread = make_thread()
    make_post(thread=thread)
    tell()
    client.force_login(thread.author)
    client.get(thread.get_absolute_url())
    assert mailbox() == []
    assert withheld() == "the receiver has read it already"
    assert Notification.objects.get().read_at is not None


def test_reply_hidden_meanwhile_is_not_mailed(mailbox):
    post = make_post()
    tell()
    services.hide_post(post=post, actor=make_member(is_moderator=True), reason="Spam.")
    assert mailbox() == []
    assert withheld() == "the post was hidden before sending"


def test_thread_muted_meanwhile_is_not_mailed(mailbox):
    post = make_post()
    tell()
    services.set_watch(member=post.thread.author, thread=post.thread, level="muted")
    assert mailbox() == []
    assert withheld() == "the receiver has muted the thread"


def test_thread_out_of_sight_meanwhile_is_not_mailed(mailbox):
    post = make_post(thread=make_thread(space=make_space(readable_by="members")))
    asker = post.thread.author
    tell()
    type(asker).objects.filter(pk=asker.pk).update(status="pending")
    assert mailbox() == []
    assert withheld() == "the receiver may not see the thread"


def test_edited_meanwhile_mails_the_new_words(mailbox):
    post = make_post(source="Frist.")
    tell()
    services.edit_post(editor=post.author, post=post, source="First.")
    assert "First." in text_of(mailbox()[0])


def test_chosen_answer_is_told_to_its_author(mailbox):
    asker, helper = make_member(name="Rosalind"), make_member()
    thread = make_thread(author=asker, title="Is there one?")
    answer = make_post(thread=thread, author=helper)
    tell()
    services.accept_answer(actor=asker, post=answer)
    services.accept_answer(actor=asker, post=answer)  # twice is once
    tell()
    messages = mailbox(to=helper.email)
    assert [str(message["Subject"]) for message in messages] == ["Rosalind chose your answer: Is there one?"]
    assert f"{thread.get_absolute_url()}?post=2#post-2" in text_of(messages[0])


def test_answer_chosen_no_longer_is_not_told(mailbox):
    thread = make_thread()
    answer = make_post(thread=thread)
    services.accept_answer(actor=thread.author, post=answer)
    tell()
    services.unaccept_answer(actor=thread.author, thread=thread)
    mailbox()
    assert OutgoingMail.objects.get(kind="discussions.accepted").reason == "it is no longer the chosen answer"


def test_own_answer_chosen_by_oneself_is_told_to_nobody():
    thread = make_thread()
    own = make_post(thread=thread, author=thread.author)
    services.accept_answer(actor=thread.author, post=own)
    assert told() == set()


def test_mute_link_in_the_mail_opens_a_page_and_its_button_mutes(client, mailbox):
    post = make_post()
    tell()
    text = text_of(mailbox()[0])
    link = next(line for line in text.split() if "/mail/mute/" in line)
    path = link.removeprefix(settings.SITE_URL)
    page = client.get(path)
    assert page.status_code == 200
    assert page["Referrer-Policy"] == "no-referrer"
    assert post.thread.watches.filter(chosen=True).count() == 0
    client.post(path, {"level": "muted"})
    assert post.thread.watches.get(member=post.thread.author).level == "muted"
    client.post(path, {"level": "normal"})
    assert post.thread.watches.get(member=post.thread.author).level == "normal"
    assert client.get(path[:-6] + "xxxx/").status_code == 410

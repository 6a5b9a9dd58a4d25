"""Mails about discussions, composed from ids at the moment of sending: who may not, need not or will not read gets none."""

import re
from dataclasses import replace

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from kmnet.core import inbound, tokens
from kmnet.core.mail import Line, MailContent, Withhold
from kmnet.core.models import Activity, OutgoingMail
from kmnet.core.models.mail import MailState
from kmnet.core.moments import clock, day
from kmnet.core.text import excerpt, render_markdown
from members.permissions import can_moderate

from . import audiences
from .audiences import has_muted
from .models import AskedToAnswer, Bookmark, OwedReply, Post, ReadState, Thread
from .permissions import can_reply, can_view_post, can_write_message, is_author, seats_of
from .services.bookmarks import why_not
from .services.thanks import count_helped

EXCERPT = 240  # characters of a post in a mail that holds several
LONGEST = 10_000  # characters of a reply that a mail carries whole
MUTE = "discussions.mute"
LOOKED_BACK = 200  # messages before this one among which one may be unread, and told of


def find(mail) -> tuple[Activity, Post]:
    """The deed and the post that the mail is about, if the receiver should still hear of it. Of a deed about a thread it
    is the first post."""
    activity = (
        Activity.objects.select_related("actor", "target_type").filter(pk=mail.refs.get("activity")).first()
    )
    if activity is None:
        raise Withhold("the deed is gone")
    posts = Post.objects.select_related(
        "author", "parent", "mask", "thread__space", "thread__author", "thread__mask"
    )
    about_thread = activity.target_type.model == "thread"
    posts = (
        posts.filter(thread=activity.target_id, number=1)
        if about_thread
        else posts.filter(pk=activity.target_id)
    )
    post = posts.first()
    if post is None:
        raise Withhold("the post is gone")
    if mail.is_preview and (post.mask_id or post.thread.mask_id or (post.parent and post.parent.mask_id)):
        raise Withhold("somebody writes there without their name: it is shown to its receiver only")
    refuse_group(mail, post.thread)
    if post.is_taken_back:
        raise Withhold("its author took the post back before sending")
    if not (post.is_shown and (post.thread.is_shown or post.thread.is_conversation)):
        raise Withhold("the post was hidden before sending")
    if not can_view_post(mail.member, post):
        raise Withhold("the receiver may not see the thread")
    if not post.thread.is_conversation and has_muted(
        mail.member_id, post.thread
    ):  # there compose_message asks
        raise Withhold("the receiver has muted the thread")
    return activity, post


def refuse_group(mail, thread: Thread) -> None:
    """What a group writes is read by those who are in it, and not by an admin who looks at the outbox."""
    if mail.is_preview and thread.space.group_id:
        raise Withhold("it is from a group: it is shown to its receiver only")


def refuse_read(mail, post: Post) -> None:
    state = ReadState.objects.filter(member=mail.member, thread=post.thread).first()
    if state is not None and state.has(post.number):
        raise Withhold("the receiver has read it already")


def compose_mentioned(mail) -> MailContent:
    """Somebody named you."""
    _activity, post = find(mail)
    refuse_read(mail, post)
    if not post.mentions.filter(member=mail.member).exists():
        raise Withhold("the receiver is not named there")
    context = {**about(post, mail), "why": _("You get this because you are mentioned.")}
    return MailContent(
        context=context,
        headers=in_thread(post.thread),
        from_name=post.author.name,
        line=line_of(post, _("%(name)s mentioned you: %(words)s")),
        reply_to=reply_to(mail, post.thread),
    )


def compose_started(mail) -> MailContent:
    """A new thread in a space, or with a tag, that you watch."""
    _activity, post = find(mail)
    refuse_read(mail, post)
    context = {
        **about(post, mail),
        "why": _("You get this because you follow its space or one of its tags."),
        "following_url": settings.SITE_URL + reverse("following:levels"),
    }
    return MailContent(
        context=context,
        headers=in_thread(post.thread),
        from_name=post.author.name,
        line=line_of(post, _("%(name)s began it: %(words)s")),
        reply_to=reply_to(mail, post.thread),
    )


def compose_reply(mail) -> MailContent:
    """The reply itself, and the way to it."""
    _activity, post = find(mail)
    refuse_read(mail, post)
    thread = post.thread
    asked = is_author(mail.member, thread)
    context = {
        **about(post, mail),
        "asked": asked and thread.is_question,
        "started": asked,
        "may_choose": asked and thread.is_question and thread.accepted_post_id is None,
        "to_you": post.parent is not None and is_author(mail.member, post.parent),
        "why": why_reply(mail, post),
    }
    return MailContent(
        context=context,
        headers=in_thread(thread),
        from_name=post.author.name,
        line=line_of(post, _("%(name)s: %(words)s")),
        reply_to=reply_to(mail, thread),
    )


def why_reply(mail, post: Post) -> str:
    if post.parent is not None and is_author(mail.member, post.parent):
        return _("You get this because it answers what you wrote.")
    if is_author(mail.member, post.thread):
        if post.thread.is_question:
            return _("You get this because you asked the question.")
        return _("You get this because you started the conversation.")
    if mail.kind == "discussions.post":
        return _("You get this because you follow its space or one of its tags.")
    return _("You get this because you follow this conversation.")


def compose_accepted(mail) -> MailContent:
    """Your answer was chosen."""
    activity, post = find(mail)
    thread = post.thread
    if thread.accepted_post_id != post.pk:
        raise Withhold("it is no longer the chosen answer")
    context = {
        **about(post, mail),
        "who": activity.actor.name if activity.actor else "",
        "by_asker": activity.actor_id == thread.author_id,
        "why": _("You get this because you wrote the answer."),
    }
    line = line_of(post, _("%(name)s, your answer was chosen: %(words)s"))
    return MailContent(context=context, headers=in_thread(thread), line=line)


def compose_asking(mail) -> MailContent:
    """Could you answer? To a member whose own words fit, or to the host whose turn it is. About a thread, or about a
    reply that is somebody's first words."""
    activity = Activity.objects.select_related("target_type").filter(pk=mail.refs.get("activity")).first()
    posts = Post.objects.select_related("author", "parent", "thread__space", "thread__author", "thread__mask")
    first_words = activity is not None and activity.target_type.model == "post"
    if activity is None:
        post = None
    elif first_words:
        post = posts.filter(pk=activity.target_id).first()
    else:
        post = posts.filter(thread=activity.target_id, number=1).first()
    if post is None:
        raise Withhold("the thread is gone")
    thread = post.thread
    refuse_group(mail, thread)
    asked = AskedToAnswer.objects.filter(thread=thread, member=mail.member).first()
    if asked is None:
        raise Withhold("the receiver is not asked any more")
    if not (post.is_shown and thread.is_shown and can_reply(mail.member, thread)):
        raise Withhold("the receiver cannot reply there")
    clocks = OwedReply.objects.filter(post=post if first_words else None, thread=thread)
    if not clocks.owed().exists():
        raise Withhold("somebody has replied meanwhile")
    if has_muted(mail.member_id, thread):
        raise Withhold("the receiver has muted the thread")
    context = {
        **about(post, mail),
        "words": asked.why,
        "reply_url": settings.SITE_URL
        + (thread.url_of(post.number) if first_words else thread.get_absolute_url() + "#reply"),
        "first_words": first_words,
    }
    if asked.why:
        context["why"] = _("You get this because your profile says that you can help with %(words)s.") % {
            "words": asked.why
        }
    return MailContent(
        context=context,
        headers=in_thread(thread),
        line=line_of(post, _("%(name)s asks, and you could answer: %(words)s")),
        reply_to=reply_to(mail, thread),
    )


def line_of(post: Post, sentence: str) -> Line:
    """For a mail that holds several pieces of news. `sentence` has places for the writer's name and for the words."""
    thread = post.thread
    words = sentence % {"name": post.author.name, "words": excerpt(post.source, EXCERPT) or _("(a file)")}
    return Line(thread.title, words, settings.SITE_URL + thread.url_of(post.number), f"thread:{thread.pk}")


def reply_to(mail, thread: Thread) -> str | None:
    """The address that puts an answer into the thread, of who may write there; not shown to anybody but the receiver."""
    if mail.is_preview:
        return None
    purpose = "discussions.message" if thread.is_conversation else "discussions.thread"
    may = can_write_message if thread.is_conversation else can_reply
    if not may(mail.member, thread):
        return None
    return inbound.reply_address(member=mail.member, purpose=purpose, target=thread) or None


def about(post: Post, mail) -> dict:
    thread = post.thread
    long = len(post.source) > LONGEST
    source = f"{post.source[:LONGEST].rsplit(None, 1)[0]} …" if long else post.source
    return {
        "post": post,
        "thread": thread,
        "url": settings.SITE_URL + thread.url_of(post.number),
        "html": with_whole_links(render_markdown(source) if long else mark_safe(post.html)),
        "text": source,
        "by": f"{post.author.name}. {day(post.published_at)}, {clock(post.published_at)}.",
        "mute_url": mute_url(thread, mail.member_id),
    }


# --- private messages ------------------------------------------------------------------------------------------------
def compose_message(mail) -> MailContent:
    """The words, and the way to them: for the first message that is unread, and not for those that follow it."""
    if mail.is_preview:
        raise Withhold("a private message: it is shown to its receiver only")
    activity, post = find(mail)
    thread = post.thread
    if mail.member_id not in audiences.listeners_of(thread, post.number):
        raise Withhold("the receiver has left or muted the conversation")
    state = ReadState.objects.filter(member=mail.member, thread=thread).first()
    if state is not None and state.has(post.number):
        raise Withhold("the receiver has read it already")
    if told_before(mail, post, state):
        raise Withhold("the receiver knows that something unread is there")
    others = [
        seat.member for seat in seats_of(thread) if not seat.has_left and seat.member_id != mail.member_id
    ]
    context = {
        **about(post, mail),
        "others": [person for person in others if person.pk != post.author_id],
        "why": _("You get this because you are in this conversation."),
        "reply_line": _("Your words go to everybody in this conversation."),
    }
    return MailContent(
        context=context,
        headers=in_thread(thread),
        from_name=post.author.name,
        line=replace(line_of(post, _("%(name)s: %(words)s")), headline=_("A private conversation")),
        reply_to=reply_to(mail, thread),
    )


def told_before(mail, post: Post, state: ReadState | None) -> bool:
    """Has a mail about an earlier message gone out, or will it, which the receiver has not read either?"""
    earlier = post.thread.posts.filter(number__lt=post.number).exclude(author=mail.member_id)
    earlier = earlier.order_by("-number").values_list("pk", "number")[:LOOKED_BACK]
    unread = [pk for pk, number in earlier if state is None or not state.has(number)]
    deeds = Activity.objects.filter(
        verb="discussions.messaged",
        target_type=ContentType.objects.get_for_model(Post),
        target_id__in=unread,
    )
    mails = OutgoingMail.objects.filter(member=mail.member_id, kind=mail.kind).exclude(pk=mail.pk)
    mails = mails.filter(state__in=(MailState.WAITING, MailState.SENT))
    return mails.filter(refs__activity__in=list(deeds.values_list("pk", flat=True))).exists()


def with_whole_links(html: SafeString) -> SafeString:
    """Links within the site work from an inbox, too; its pictures, which are given to who is signed in, become links."""
    html = re.sub(r'<img(?=[^>]* src="([^"]*)")(?:[^>]* alt="([^"]*)")?[^>]*>', picture_as_link, html)
    return mark_safe(re.sub(r'href="/(?!/)', f'href="{settings.SITE_URL}/', html))


def picture_as_link(image: re.Match) -> str:
    return f'<a href="{image[1]}">{image[2] or _("Picture")}</a>'  # both stand escaped in our own HTML


def in_thread(thread: Thread) -> dict[str, str]:
    """Mail programs then show the mails of one thread together."""
    return {"References": f"<thread-{thread.pk}@{settings.MAIL_DOMAIN}>"}


def mute_url(thread: Thread, member_id: int) -> str:
    token = tokens.make(MUTE, lifetime=tokens.TWO_YEARS, t=thread.pk, m=member_id)
    return settings.SITE_URL + reverse("discussions_mail:mute", args=[token])


def compose_kept(mail) -> MailContent:
    """The way back to what they wanted to come back to, and their own note."""
    bookmarks = Bookmark.objects.select_related("member", "post__thread__space", "post__mask")
    kept = bookmarks.filter(pk=mail.refs["bookmark"]).first()
    if kept is None:
        raise Withhold("kept no longer, or the post is gone")
    if reason := why_not(kept):
        raise Withhold(reason)
    thread = kept.post.thread
    refuse_group(mail, thread)
    return MailContent(
        context={
            "thread": thread,
            "note": "" if mail.is_preview else kept.note,
            "url": settings.SITE_URL + thread.url_of(kept.post.number),
            "again_url": settings.SITE_URL + reverse("discussions:keep", args=[kept.post_id]),
        },
        headers=in_thread(thread),
    )


def compose_helped(mail) -> MailContent:
    """Numbers, counted at this moment: what was taken back meanwhile is not told."""
    deed = Activity.objects.filter(pk=mail.refs["activity"]).first()
    month = deed.target if deed else None
    if month is None:
        raise Withhold("the month is gone")
    month.people, month.countries = count_helped(month)
    if not month.people:
        raise Withhold("nobody to tell of any more")
    url = settings.SITE_URL + reverse("discussions:helped_months")
    return MailContent(context={"sentence": month.sentence, "url": url})


def compose_held_long(mail) -> MailContent:
    """So many posts have waited longer than promised; those that were decided meanwhile are not counted."""
    activity = Activity.objects.filter(pk=mail.refs.get("activity")).first()
    ids = activity.data.get("posts", []) if activity else []
    waiting = Post.objects.filter(pk__in=ids, state=Post.State.HELD, number__isnull=True).order_by(
        "created_at"
    )
    oldest = waiting.values_list("created_at", flat=True).first()
    if oldest is None:
        raise Withhold("all of them were decided meanwhile")
    member = mail.member
    if not (member.is_host or member.is_moderator or member.is_superuser):
        raise Withhold("the receiver is no host any more")
    context = {
        "count": waiting.count(),
        "since": f"{day(oldest)}, {clock(oldest)}",
        "may_decide": can_moderate(member),
        "url": settings.SITE_URL + "/moderation/",
    }
    return MailContent(context=context)

"""What members write by mail: a reply in a thread, a private message, a question. The same services as on the pages,
with the same limits; what these refuse is told in a mail."""

import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from django.utils.translation import gettext as _

from kmnet.core import inbound
from kmnet.core.inbound import Done, Refused, Reply
from kmnet.core.models import Activity
from kmnet.core.ratelimit import allow
from kmnet.core.text import clean_line, clean_text, fold
from kmnet.core.uploads import UploadRefused
from members import services as members
from members.permissions import is_full_member

from . import holding, services
from .models import HeldFor, Kind, Post, PostFile, Space, Thread
from .permissions import can_view_post, can_view_thread
from .services import masks
from .services.limits import by

MOST_FILES = 10
MOST_MERGES = 10
MOST_CUT = 20_000  # characters
LONG_ENOUGH = 30  # characters that nobody types twice
LAST_LINES = 8  # in which a name is taken for a signature
SIGNED_WORDS = 5  # of a line with it
MOST_UNPROVEN = 2  # questions a day that nothing proves
SHORTEST_TITLE, LONGEST_TITLE = 5, 160  # as in forms.ThreadForm

_ADDRESS = re.compile(r"[\w.+'-]{1,64}@[\w.-]{1,200}\.\w{2,}")
_PREFIX = re.compile(r"^(?:\s*(?:re|aw|sv|fwd?|wg|tr|rv|antw)\s?(?:\[\d+\])?\s?:)+\s*", re.IGNORECASE)


def answer_thread(reply: Reply) -> Done:
    """A reply to the thread, below the post that the mail was about."""
    thread, member = where_it_went(reply.target.pk), reply.member
    check_member(member)
    if thread is None or not can_view_thread(member, thread):
        raise Refused("gone")
    limit("discussions-reply", member, 120)
    if masks.worn_in(thread.pk, mask=thread.mask_id or 0, author=member.pk).exists():
        reply = replace(reply, text=unsigned(reply.text, member))
        if not reply.text and not reply.attachments:
            raise Refused("empty")
    refuse_repeated(reply, thread)
    try:
        with text_with_files(reply) as source:
            post = services.add_reply(
                author=member,
                thread=thread,
                source=source,
                parent=post_answered(reply, thread),
                submit_key=reply.submit_key,
            )
    except services.ThreadClosed as closed:
        raise Refused("closed") from closed
    except services.LimitReached as reached:
        raise Refused("limit", reached.sentence) from reached
    except PermissionDenied as denied:
        raise Refused("may_not_write") from denied
    return written(reply, post)


def unsigned(text: str, member) -> str:
    """Without the name below the words, as hands type it below each mail: not every signature is known by its marks, and
    this one would tell who writes without their name."""
    names = {word for word in words_in(member.name) if len(word) > 2} or set(words_in(member.name))
    known = {member.handle.lower(), *(row.email.lower() for row in member.emailaddress_set.all())}
    lines = text.rstrip().split("\n")
    for number in range(max(0, len(lines) - LAST_LINES), len(lines)):
        line, words = lines[number].lower(), words_in(lines[number])
        as_name = {word for one in lines[number].split() if one != one.lower() for word in words_in(one)}
        is_short = names & (
            as_name if 2 < len(words) <= SIGNED_WORDS else set(words) if len(words) <= 2 else set()
        )
        if is_short or names <= set(words) or any(one and one in line for one in known):
            left = [word for word in lines[number].split() if not names & set(words_in(word))]
            lines[number:] = [" ".join(left)] if number == 0 and not any(one in line for one in known) else []
            break
    return "\n".join(lines).strip()


def refuse_repeated(reply: Reply, thread: Thread) -> None:
    """The same words again on one day: sent twice, or by a machine that does not say that it is one. Two of these would
    answer each other without end. (Short words are said again by people, too.)"""
    text = clean_text(reply.text).strip()
    if len(text) < LONG_ENOUGH or reply.attachments:
        return
    since = timezone.now() - timedelta(days=1)
    same = Post.objects.filter(thread=thread, source=text, created_at__gt=since)
    same = by(reply.member, same.exclude(state=Post.State.DELETED).exclude(submit_key=reply.submit_key))
    if same.exists():
        raise Refused("said_already")


def words_in(text: str) -> list[str]:
    return re.findall(r"\w+", fold(text))


def where_it_went(pk: int) -> Thread | None:
    """The thread, or the one that it was merged into."""
    thread = None
    for _step in range(MOST_MERGES):
        thread = Thread.objects.select_related("space").filter(pk=pk).first()
        if thread is None or thread.merged_into_id is None:
            break
        pk = thread.merged_into_id
    return thread


def answer_message(reply: Reply) -> Done:
    """One more message in a private conversation."""
    member = reply.member
    check_member(member)
    if not can_view_thread(member, reply.target):
        raise Refused("gone")
    limit("messages-write", member, 600)
    refuse_repeated(reply, reply.target)
    try:
        with text_with_files(reply) as source:
            post = services.send_message(
                author=member,
                thread=reply.target,
                source=source,
                submit_key=reply.submit_key,
            )
    except services.CannotWrite as silent:
        raise Refused("conversation_over") from silent
    except services.LimitReached as reached:
        raise Refused("limit", reached.sentence) from reached
    except PermissionDenied as denied:
        raise Refused("gone") from denied
    return written(reply, post)


def ask(reply: Reply) -> Done:
    """A new question: the subject is its title. ask+<space>@ asks there, ask@ in the first space for questions. Where
    nothing proves that the member sent it, a moderator looks first."""
    member = reply.member
    check_member(member)
    title = clean_line(_PREFIX.sub("", reply.subject))
    if len(title) < SHORTEST_TITLE:
        raise Refused("no_subject")
    spaces = Space.objects.open_to(member)
    if reply.detail:
        spaces = spaces.filter(slug=reply.detail)
    else:
        spaces = spaces.filter(first_kind=Kind.QUESTION, group=None)
    if not reply.authenticated:
        spaces = spaces.filter(group=None)  # no moderator looks there
    space = spaces.order_by("position", "pk").first()
    if space is None:
        raise Refused("no_space" if reply.detail else "may_not_write")
    limit("discussions-ask", member, 60)
    if not reply.authenticated and not allow(
        f"ask-unproven:{member.pk}", limit=MOST_UNPROVEN, seconds=86_400
    ):
        raise Refused("limit")  # or anybody could use up, in the member's name, what these may write in a day
    try:
        with text_with_files(reply) as source:
            thread = services.start_thread(
                author=member,
                space=space,
                kind=Kind.QUESTION,
                title=title[:LONGEST_TITLE],
                source=source,
                submit_key=reply.submit_key,
                hold=False if reply.authenticated else HeldFor.MAIL,
            )
    except services.LimitReached as reached:
        raise Refused("limit", reached.sentence) from reached
    except PermissionDenied as denied:
        raise Refused("may_not_write") from denied
    post = Post.objects.select_related("thread__space").get(thread=thread, heading__gt="")
    done = written(reply, post)
    tell = done.tell or _("Your question is out. We tell you by e-mail when somebody answers.")
    return Done(result=thread, tell=tell, url=thread.get_absolute_url(), held=not reply.authenticated)


def check_member(member) -> None:
    if not is_full_member(member):
        raise Refused("account")


def limit(scope: str, member, most: int) -> None:
    """Counted with what is sent from the pages."""
    if not allow(f"{scope}:member:{member.pk}", limit=most, seconds=3600):
        raise Refused("limit")


def post_answered(reply: Reply, thread: Thread) -> Post | None:
    """The post that the mail told of, if it is one of this thread; nothing for what stands for several."""
    deed_id = reply.answers.refs.get("activity") if reply.answers else None
    deed = Activity.objects.select_related("target_type").filter(pk=deed_id).first() if deed_id else None
    if deed is None or deed.target_type.model != "post":
        return None
    post = Post.objects.select_related("thread__space").filter(pk=deed.target_id, thread=thread).first()
    return post if post is not None and post.number and can_view_post(reply.member, post) else None


@contextmanager
def text_with_files(reply: Reply):
    """The words, and the files as uploads on a page would be: checked, counted, pictures drawn anew. Raises Refused. What
    was stored goes where the post is refused: its rows are rolled back, its bytes would stay."""
    stored: list[PostFile] = []
    try:
        yield source_of(reply, stored)
    except Exception:
        for kept in stored:
            kept.file.storage.delete(kept.file.name)
        raise


def source_of(reply: Reply, stored: list[PostFile]) -> str:
    text = clean_text(reply.text).strip()
    if len(reply.attachments) > MOST_FILES:
        raise Refused("file", _("More than %(most)d files came with your mail.") % {"most": MOST_FILES})
    marks = []
    for attachment in reply.attachments:
        upload = SimpleUploadedFile(attachment.name, attachment.content, attachment.content_type)
        try:
            kept = services.keep_file(actor=reply.member, upload=upload)
        except UploadRefused as refused:
            said = " ".join(str(message) for message in refused.messages)
            raise Refused("file", f"{attachment.name}: {said}") from refused
        except PermissionDenied as denied:
            raise Refused("may_not_write") from denied
        stored.append(kept)
        marks.append(services.as_markdown(kept))
    text = re.sub(r"(?<! )[ ]*\[(?:cid:[^\]\s]{1,200}|image: [^\]\n]{1,200})\][ ]*", "", text).strip()
    return "\n\n".join(part for part in (text, *marks) if part)


def written(reply: Reply, post: Post) -> Done:
    """Keep what was cut, note the presence, and tell of what is held as the page does."""
    if reply.cut and not post.mask_id:  # a signature would tell who writes without their name
        Post.objects.filter(pk=post.pk, cut_words="").update(cut_words=harmless(reply.cut))
    members.note_presence(member=reply.member)
    held = "" if post.is_shown else holding.why_and_how_long(post)
    # The row knows the member: of what is written without a name it must not know the post.
    return Done(result=None if post.mask_id else post, tell=held, url=post.get_absolute_url() if held else "")


def harmless(cut: str) -> str:
    """Without addresses, and without the links of a mail that act for its receiver."""
    cut = re.sub(rf"{re.escape(settings.SITE_URL)}/mail/\S*", "…", cut)
    return clean_text(_ADDRESS.sub("…", cut))[:MOST_CUT]


inbound.register_purpose(inbound.ReplyPurpose("discussions.thread", answer_thread, may_see=can_view_thread))
inbound.register_purpose(inbound.ReplyPurpose("discussions.message", answer_message, may_see=can_view_thread))
inbound.register_mailbox(inbound.Mailbox("ask", ask))

"""The posts of a thread's page as HTML: plain string work, as rows.py does it for lists. A page has twenty to fifty posts.

What differs by reader is decided here for each of them, with what views/reading.py and decorate.py have set on the posts
and items; nothing is kept from one page to the next but words in the reader's language.

What is joined here is safe because each part is: names, titles and reasons go through escape() where they are put in, and
a post's html is what kmnet.core.text has sanitised. mark_safe() stands only where the whole is handed to the template.
"""

from urllib.parse import quote

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from kmnet.core.addresses import address
from kmnet.core.pure import pure
from kmnet.core.templatetags.kmnet import _icon as icon
from kmnet.core.templatetags.kmnet import avatar, localtime_tag, person_link

from .models import Post
from .pages import Item
from .permissions import has_standing_words
from .reaction_bars import bar, menu_lines


@pure(maxsize=1)
def words() -> dict[str, str]:
    """What is said on most posts, with its picture, in the reader's language."""

    def beside(picture: str, said: str, classes: str = "") -> str:
        return f"{icon(picture, classes)}{escape(said)}"

    return {
        "more": icon("more", ""),
        "link": beside("link", _("Link to this post")),
        "unread": beside("eye", _("Mark unread from here")),
        "edit": beside("edit", _("Edit")),
        "take back": beside("close", _("Take back")),
        "report": beside("flag", _("Tell a moderator")),
        "hide": beside("shield", _("Hide")),
        "show": beside("shield", _("Show again")),
        "reply": beside("reply", _("Reply"), "icon--flip"),
        "quote": beside("quote", _("Quote")),
        "quote it": escape(_("Quote")),
        "wrote": escape(_("wrote")),
        "new": escape(_("New")),
        "edited": escape(_("edited")),
        "ignored": escape(_("Words of somebody you ignore – show once")),
        "still open": beside("close", _("Still open")),
        "answers": beside("check", _("This answers it")),
        "cut": escape(_("Cut from your mail: quotation and signature")),
        "taken along": escape(_("Its author has left, and took these words along.")),
    }


class Posts:
    """What the posts of one page have in common: the reader, the thread, and the words in their language."""

    def __init__(self, context):
        self.context, self.thread, self.here = context, context["thread"], escape(context["here"])
        self.viewer = context["user"]
        self.signed_in = self.viewer.is_authenticated
        self.unwanted = getattr(self.viewer, "unwanted", frozenset())
        self.token = str(context.get("csrf_token") or "") if self.signed_in else ""
        self.csrf = f'<input type="hidden" name="csrfmiddlewaretoken" value="{escape(self.token)}">'
        self.moderates, self.may_reply = context["moderates"], context["may_reply"]
        self.may_choose = context["may_choose"]
        self.words = words()
        self.asker = self.thread.author_id
        self.next = f"next={quote(context['here'])}"

    def html(self, items: list[Item]) -> SafeString:
        """Replies stand inside the post that they answer."""
        parts = []
        for item in items:
            parts += [self.open(item), '<div class="replies">' if item.opens else "</article>"]
            parts += ["</div></article>" for _level in item.closes]
        return mark_safe("".join(parts))

    def alone(self, item: Item) -> SafeString:
        """The post that the others answer stands before them."""
        return mark_safe(f"{self.open(item)}</article>")

    def open(self, item: Item) -> str:
        """One post, its <article> left open."""
        post, number = item.post, item.post.number
        chosen = " post--chosen" if post.pk == self.thread.accepted_post_id else ""
        anchor = f' id="post-{number}"' if number else ""
        if post.is_taken_back:
            inside = self.taken_back(item)
        elif not item.shown:
            inside = self.hidden(item)
        else:
            inside = self.standing(item)
        return (
            f"{self.news(item)}\n"
            f'<article class="post{chosen}"{anchor} aria-label="{escape(self.label(item))}">{inside}'
        )

    def news(self, item: Item) -> str:
        if not item.starts_news:
            return ""
        since = self.thread.seen_at
        said = f"{escape(_('New since'))} {localtime_tag(since)}" if since else self.words["new"]
        return f'<p class="unread-mark" id="new">{said}</p>'

    def label(self, item: Item) -> str:
        post = item.post
        if post.is_taken_back:
            return _("A post that was taken back")
        if not item.shown:
            return _("A post that is hidden")
        if post.leads:
            return _("First post, by %(name)s") % {"name": post.author.name}
        if post.parent:
            return _("Reply to %(other)s by %(name)s") % {
                "other": post.parent.author.name,
                "name": post.author.name,
            }
        return _("Reply by %(name)s") % {"name": post.author.name}

    def is_own(self, post: Post) -> bool:
        return self.signed_in and (post.author_id == self.viewer.pk or getattr(post, "is_own", False))

    # --- what does not stand -----------------------------------------------------------------------------------------
    def stub(self, item: Item, said: str, at, body: str) -> str:
        small = " avatar--sm" if item.level else ""
        return (
            f'<span class="avatar{small} tint-8" aria-hidden="true">··</span>'
            f'<header class="post__head"><span class="meta">{escape(said)}<span class="dot"></span>{localtime_tag(at)}'
            f'</span></header><div class="post__body">{body}</div>'
        )

    def taken_back(self, item: Item) -> str:
        post, body = item.post, ""
        if post.undo_until and self.is_own(post):
            body = (
                f'<form class="cluster" method="post" action="{address("discussions:undelete", post.pk)}">{self.csrf}'
                f'<button class="btn btn--sm" type="submit">{escape(_("Undo"))}</button><span class="meta">'
                f"{escape(_('Possible until'))} {localtime_tag(post.undo_until, 'clock')}</span></form>"
            )
        said = _("Its author took this back") if post.leads else _("Its author took this reply back")
        return self.stub(item, said, post.deleted_at, body)

    def hidden(self, item: Item) -> str:
        held = item.post.state == Post.State.HELD
        if held:
            said = _("A reply is with the moderators")
        elif item.post.hidden_by_id is None:
            said = _("Hidden after members told us about this reply")
        else:
            said = _("A moderator has hidden this reply")
        body = (
            f'<p class="meta">{escape(_("We always tell the author why."))} '
            f'<a href="/about/how-we-treat-each-other/">{escape(_("How we treat each other"))}</a></p>'
        )
        return self.stub(item, said, item.post.created_at, body)

    # --- what stands -------------------------------------------------------------------------------------------------
    def standing(self, item: Item) -> str:
        post, size = item.post, "sm" if item.level else ""
        request = self.context.get("request")
        arch = avatar(post.author, size, post.author.picture_for(request, 96) if request else "")
        return (
            f'{self.chosen(post)}{arch}<header class="post__head">{self.head(item)}{self.menu(post)}</header>\n'
            f'<div class="post__body">{self.body(item)}{self.foot(post)}</div>'
        )

    def chosen(self, post: Post) -> str:
        thread = self.thread
        if post.pk != thread.accepted_post_id:
            return ""
        if thread.accepted_by_id == thread.author_id:
            said = _("%(name)s chose this answer") % {"name": thread.author.name}
        else:
            said = _("Chosen as the answer")
        return f'<p class="badge badge--done">{icon("check-circle", "")}{escape(said)}</p>'

    def head(self, item: Item) -> str:
        post = item.post
        edited = badges = ""
        if post.edited_at:
            href = address("discussions:history", post.pk)
            edited = f'<span class="dot"></span><a href="{href}">{self.words["edited"]}</a>'
        if self.signed_in and post.welcomes and post.author_id != self.viewer.pk:
            badges += badge(_("First post – welcome them"), "human", "hand")
        if item.is_new:
            badges += badge(_("New"), "new")
        if not post.is_shown:
            held = post.state == Post.State.HELD
            badges += badge(
                _("Waiting for a moderator") if held else _("Hidden from readers"), "stop", "lock"
            )
        return (
            f"{person_link(post.author, 'post__name')}"
            f'<span class="meta">{localtime_tag(post.created_at)}{edited}</span>{badges}'
        )

    def menu(self, post: Post) -> str:
        if not post.number:
            return ""
        said, pk, number = self.words, post.pk, post.number
        lines = [f'<a href="{self.here}?post={number}#post-{number}">{said["link"]}</a>']
        if self.signed_in:
            lines.append(
                f'<form method="post" action="/discussions/posts/{pk}/unread/">{self.csrf}'
                f'<button type="submit">{said["unread"]}</button></form>'
            )
            if has_standing_words(post):
                lines.append(menu_lines(post, self.token))
            if not self.is_own(post):
                lines.append(f'<a href="/moderation/report/discussions.post/{pk}/">{said["report"]}</a>')
                if post.author.has_page:
                    away = _("Ignore or block %(name)s") % {"name": post.author.get_short_name()}
                    lines.append(
                        f'<a href="{address("members:distance", post.author.handle)}?{self.next}">'
                        f"{icon('eye', '')}{escape(away)}</a>"
                    )
            elif post.state != Post.State.HIDDEN:
                lines.append(
                    f'<a href="{address("discussions:edit", pk)}">{said["edit"]}</a>'
                    f'<a href="{address("discussions:delete", pk)}">{said["take back"]}</a>'
                )
            if self.moderates:
                act = said["hide" if post.is_shown else "show"]
                lines.append(f'<a href="/moderation/discussions.post/{pk}/">{act}</a>')
        label = _("More for post %(number)s by %(name)s") % {"number": number, "name": post.author.name}
        return (
            f'<details class="menu"><summary class="iconlink" aria-label="{escape(label)}">{said["more"]}</summary>'
            f'<div class="menu__panel">{"".join(lines)}</div></details>'
        )

    def body(self, item: Item) -> str:
        post = item.post
        html = f'<div class="prose" dir="auto">{post.html}</div>'
        if post.withdrawn_at:
            html = f'<p class="meta">{self.words["taken along"]}</p>'
        elif post.author_id in self.unwanted:
            html = f'<details class="disclose"><summary>{self.words["ignored"]}</summary>{html}</details>'
        return f"{self.to_whom(item)}{self.why_hidden(post)}{self.why_held(post)}{html}{self.cut_from_mail(post)}"

    def cut_from_mail(self, post: Post) -> str:
        """Quotation and signature of a reply that came by mail. Not for everybody: what was quoted may be hidden now."""
        if not post.cut_words or not (self.is_own(post) or self.moderates):
            return ""
        return (
            f'<details class="disclose"><summary>{self.words["cut"]}</summary>'
            f'<p class="diff" dir="auto">{escape(post.cut_words)}</p></details>'
        )

    def to_whom(self, item: Item) -> str:
        above = item.post.parent if item.says_to_whom else None
        if above is None or not above.number:
            return ""
        said = escape(_("in reply to %(name)s") % {"name": above.author.name})
        href = f"{self.here}?post={above.number}#post-{above.number}"
        return f'<p class="meta post__to">{icon("reply", "icon--flip")} <a href="{href}">{said}</a></p>'

    def why_hidden(self, post: Post) -> str:
        if not post.hidden_reason:
            return ""
        mend = ""
        if self.is_own(post) or not self.moderates:
            mend = (
                f' <a href="/moderation/again/discussions.post/{post.pk}/">'
                f"{escape(_('Mend it and ask again'))}</a>"
            )
        return f'<p class="meta">{escape(_("Why it is hidden:"))} {escape(post.hidden_reason)}{mend}</p>'

    def why_held(self, post: Post) -> str:
        because = getattr(post, "waits_because", "")
        if not because:
            return ""
        until = _("Until then only you and the moderators see it; you can go on editing it.")
        return (
            f'<p class="meta post__held">{icon("clock", "")} {escape(because)} {escape(until)} '
            f'<a href="{address("discussions:edit", post.pk)}">{escape(_("Edit"))}</a></p>'
        )

    def foot(self, post: Post) -> str:
        if not post.number or not post.is_shown:
            return ""
        reply = self.replying(post) if self.may_reply else ""
        choose = self.choosing(post) if self.may_choose and not post.leads else ""
        reactions = bar(post, csrf_token=self.token, signed_in=self.signed_in)
        return f'\n<div class="reactions">{reactions}{reply}{choose}</div>'

    def replying(self, post: Post) -> str:
        said, here, number, name = self.words, self.here, post.number, escape(post.author.name)
        to, whom = "#reply", ""
        if not post.leads:
            to = f"{here}reply/?to={number}"
            whom = f'<span class="sr-only"> {escape(_("to %(name)s") % {"name": post.author.name})}</span>'
        return (
            f'<a class="react" href="{to}">{said["reply"]}{whom}</a>'
            f'<a class="react" href="{here}reply/?quote={number}" data-quote data-number="{number}" data-name="{name}"'
            f' data-address="{here}?post={number}#post-{number}" data-wrote="{said["wrote"]}"'
            f' data-label="{said["quote it"]}">{said["quote"]}<span class="sr-only"> {name}, {number}</span></a>'
        )

    def choosing(self, post: Post) -> str:
        if post.pk == self.thread.accepted_post_id:
            to, said = address("discussions:unaccept", self.thread.pk), self.words["still open"]
        else:
            to, said = address("discussions:accept", post.pk), self.words["answers"]
        return f'<form method="post" action="{to}">{self.csrf}<button class="react" type="submit">{said}</button></form>'


def badge(said: str, look: str, picture: str = "") -> str:
    return f'<span class="badge badge--{look}">{icon(picture, "") if picture else ""}{escape(said)}</span>'

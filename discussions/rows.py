"""The rows of a list of threads as HTML: plain string work, since lists are what people open most.

Each part is escaped where it is put in; mark_safe() stands only where the rows are handed to the template.
"""

from urllib.parse import quote, urlencode

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kmnet.core.templatetags.kmnet import _icon as icon
from kmnet.core.templatetags.kmnet import avatar, localtime_tag

from .models import Kind, Thread
from .models.thread import base_url


class Rows:
    """What the rows of one page have in common: the reader, and the words in their language."""

    def __init__(self, request, *, space=None, heading: str = "h3"):
        self.request, self.space, self.heading = request, space, heading
        self.viewer = request.user if request else None
        self.signed_in = bool(self.viewer and self.viewer.is_authenticated)
        self.me = self.viewer.pk if self.signed_in else None
        self.unwanted = self.viewer.unwanted if self.signed_in else frozenset()
        self.base = base_url()
        self._arches: dict[tuple[int, str, str], str] = {}
        self._tags: dict[str, str] = {}

    def html(self, threads) -> SafeString:
        return mark_safe("".join(self.row(thread) for thread in threads))

    def row(self, thread: Thread) -> str:
        """Needs what listing.complete() brings."""
        read = ' class="is-read"' if self.signed_in and not thread.unread_count else ""
        return (
            f'<li{read}>{self.arch(thread.author)}<div class="body">{self.title(thread)}{self.meta(thread)}'
            f'{self.excerpt(thread)}{self.tags(thread)}</div><div class="tail">{self.tail(thread)}</div></li>\n'
        )

    # --- people and time ---------------------------------------------------------------------------------------------
    def arch(self, member, size: str = "") -> str:
        key = (member.pk, member.name, size)
        if key not in self._arches:
            picture = member.picture_for(self.request, 96) if self.request else ""
            self._arches[key] = avatar(member, size, picture)
        return self._arches[key]

    def name(self, member, you: str) -> str:
        return you if member.pk == self.me else f"<bdi>{escape(member.name)}</bdi>"

    # --- the parts ---------------------------------------------------------------------------------------------------
    def title(self, thread: Thread) -> str:
        if thread.author_id in self.unwanted:
            words = _("Words of somebody you ignore – show once")
        else:
            words = escape(thread.title)
        return (
            f'<{self.heading}><a href="{thread.get_absolute_url()}" dir="auto">{words}</a></{self.heading}>'
        )

    def meta(self, thread: Thread) -> str:
        parts = [self.name(thread.author, _("You")), '<span class="dot"></span>']
        if thread.latest_author:
            parts += [_("latest from"), " ", self.name(thread.latest_author, _("you")), ", "]
            parts.append(localtime_tag(thread.last_post_at, "ago"))
        else:
            parts += [_("asked") if thread.is_question else _("started"), " "]
            parts.append(localtime_tag(thread.created_at, "ago"))
        if not self.space:
            place = f'<a href="{self.base}{thread.space.slug}/">{escape(thread.space.name)}</a>'
            parts += [" ", _("in"), " ", place]
        return f'<p class="meta">{"".join(parts)}</p>'

    def excerpt(self, thread: Thread) -> str:
        if thread.reply_count or not thread.excerpt or thread.author_id in self.unwanted:
            return ""
        return f'<p dir="auto">{escape(thread.excerpt)}</p>'

    def tags(self, thread: Thread) -> str:
        if not thread.tag_names:
            return ""
        return f'<ul class="tags">{"".join(self.tag(name) for name in thread.tag_names)}</ul>'

    def tag(self, name: str) -> str:
        if name not in self._tags:
            query = escape(urlencode({"tag": name}, quote_via=quote))
            self._tags[name] = f'<li><a class="tag" href="{self.base}?{query}">{escape(name)}</a></li>'
        return self._tags[name]

    def tail(self, thread: Thread) -> str:
        parts = []
        if self.signed_in and thread.author_id != self.me and thread.welcomes and thread.is_shown:
            parts.append(badge(_("First post – welcome them"), "hand", "human"))
        if thread.is_pinned:
            parts.append(badge(_("Pinned"), "bookmark"))
        parts.append(self.state(thread))
        if thread.kind == Kind.ANNOUNCEMENT:
            parts.append(badge(_("Announcement"), "info", "info"))
        elif thread.kind == Kind.POLL:
            parts.append(badge(_("Poll"), "list", "info"))
        parts.append(self.replies(thread))
        if thread.latest_people:
            faces = "".join(self.arch(person, "sm") for person in thread.latest_people)
            parts.append(f'<span class="avatars">{faces}</span>')
        return "".join(parts)

    def state(self, thread: Thread) -> str:
        if not thread.is_shown:
            return badge(thread.get_state_display(), "lock", "stop")
        if thread.waits_for_an_answer:
            return badge(waiting_words(thread), "hand", "human")
        if thread.accepted_post_id:
            return badge(_("Answered"), "check", "done")
        return badge(_("Closed"), "lock") if thread.is_closed else ""

    def replies(self, thread: Thread) -> str:
        if not thread.reply_count:
            return ""
        words = ngettext("%(count)s reply", "%(count)s replies", thread.reply_count) % {
            "count": thread.reply_count
        }
        if thread.news_from:
            new = ngettext("%(count)s new", "%(count)s new", thread.unread_count) % {
                "count": thread.unread_count
            }
            href = escape(thread.url_of(thread.news_from))
            words += f', <a href="{href}"><strong>{new}</strong></a>'
        return f'<span class="meta">{words}</span>'


def badge(words: str, icon_name: str, look: str = "") -> str:
    look = f" badge--{look}" if look else ""
    return f'<span class="badge{look}">{icon(icon_name, "")}{escape(words)}</span>'


def waiting_words(thread: Thread) -> str:
    return _("No answer yet") if thread.first_reply_at is None else _("Still open")

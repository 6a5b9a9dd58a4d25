"""Printing letters: what stands in many of them is written, and its style inlined, once for a slice; a letter is put
together from such pieces and a frame by one replacement."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.conf import settings
from django.utils import translation
from django.utils.html import escape

from kmnet.core.mail.message import harmless, inliner, render
from kmnet.core.text import clean_text

BEGIN, END = (
    "\ue000",
    "\ue001",
)  # of a blank in a frame; nothing that is filled in is looked through for blanks again
BLANK = re.compile(f"{BEGIN}(\\w+){END}")
# What is filled into the frame for each reader; all but the first are plain words or addresses.
BLANKS = (
    "sections", "title_line", "summary", "date_line", "next_line", "mark_read_url", "why", "less_often_url", "pause_url",
    "settings_url", "unsubscribe_url", "stop_all_url",
)  # fmt: skip


class Piece(NamedTuple):
    """One item in HTML, its style inlined, and in text."""

    html: str
    text: str


class Order(NamedTuple):
    """A piece that is wanted: under which key it is kept, its kind, and the context of the template, made if needed."""

    key: tuple
    kind: str
    context: Callable[[], dict]


class Section(NamedTuple):
    title: str
    orders: list[Order]


class Press:
    """The pieces and frames of one slice."""

    def __init__(self, now):
        self.now = now
        self.pieces: dict[tuple, Piece] = {}
        self.frames: dict[tuple, tuple[str, str]] = {}
        self.tags: dict[str, str] = {}  # opening tags with their style

    def lacks(self, orders: Iterable[Order]) -> bool:
        language = translation.get_language()
        return any((language, *order.key) not in self.pieces for order in orders)

    def raw(self, order: Order) -> tuple[str, str]:
        context = order.context() | {"kind": order.kind, "site_url": settings.SITE_URL, "now": self.now}
        return (
            render("hub/email/_digest_item.html", context, escaped=True).strip(),
            render("hub/email/_digest_item.txt", context, escaped=False).strip(),
        )

    def make(self, wanted: Iterable[Order], context: dict) -> None:
        """All these pieces in the active language, with one pass of the inliner. Orders that depend on a zone are made in
        the one that is active, and have it in their key."""
        language = translation.get_language()
        drafts = {}
        for order in wanted:
            key = (language, *order.key)
            if key not in self.pieces and key not in drafts:
                drafts[key] = self.raw(order)
        if not drafts:
            return
        items = [
            f'<div class="item"><!--{place}-->{html}<!--/{place}--></div>'
            for place, (html, _text) in enumerate(drafts.values())
        ]
        samples = (
            '<h2><!--h2--></h2><div class="item"><!--item--></div><div class="item last"><!--last--></div>'
        )
        blank = render("hub/email/digest_message.html", self._blanks(context, True, True, True), escaped=True)
        sheet = finished(fill(blank, {"sections": samples + "".join(items)}))
        if not self.tags:
            self.tags = {name: tag for tag, name in re.findall(r"(<[^<>]*>)<!--(h2|item|last)-->", sheet)}
        found = re.findall(r"<!--(\d+)-->(.*?)<!--/\1-->", sheet, re.DOTALL)
        for (key, (_html, text)), (_place, html) in zip(drafts.items(), found, strict=True):
            self.pieces[key] = Piece(html, text)

    def sections(self, sections: list[Section]) -> tuple[str, str]:
        """In HTML and text; their pieces are made."""
        language, html, text = translation.get_language(), [], []
        for title, orders in sections:
            html.append(f"{self.tags['h2']}{escape(title)}</h2>\n")
            text.append(f"\n{title.upper()}\n")
            for place, order in enumerate(orders, 1):
                piece = self.pieces[language, *order.key]
                html.append(f"{self.tags['last' if place == len(orders) else 'item']}{piece.html}</div>\n")
                text.append(f"\n{piece.text}\n")
        return "".join(html), "".join(text)

    def letter(
        self, values: dict[str, str], sections: tuple[str, str], context: dict, *flags: bool
    ) -> tuple[str, str]:
        """HTML and text. `flags`: whether there are threads, whether there is more, whether the next day is known."""
        key = (translation.get_language(), *flags)
        frame = self.frames.get(key)
        if frame is None:
            blanks = self._blanks(context, *flags)
            frame = self.frames[key] = (
                finished(render("hub/email/digest_message.html", blanks, escaped=True)),
                render("hub/email/digest_message.txt", blanks, escaped=False),
            )
        escaped = {name: str(escape(value)) for name, value in values.items()}
        return (
            clean_text(fill(frame[0], escaped | {"sections": sections[0]})),
            fill(frame[1], values | {"sections": sections[1]}),
        )

    @staticmethod
    def _blanks(context: dict, has_threads: bool, more: bool, has_next: bool) -> dict:
        """What is the same for all readers, and blanks for what is not."""
        blanks = {name: f"{BEGIN}{name}{END}" for name in BLANKS}
        return context | blanks | {"has_threads": has_threads, "more": more, "has_next": has_next}


def finished(html: str) -> str:
    return harmless(inliner().inline(html))


def fill(frame: str, values: dict[str, str]) -> str:
    return BLANK.sub(lambda blank: values.get(blank[1], blank[0]), frame)

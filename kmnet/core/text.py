"""Text that people type: cleaned of what breaks things, and Markdown made into safe HTML.

What is stored is what was typed (less control characters); what is shown is HTML made from it by markdown-it-py without
raw HTML, and then sanitised by nh3 with an allow-list, so that a fault in one is caught by the other.
"""

import re
import unicodedata
from functools import cache

import nh3
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

RENDER_VERSION = 1  # raise it when the rendering changes; a task then renders old posts anew
MAX_NESTING = 30
MOST_ADDRESSES = 100_000  # characters of addresses in one text, where it is not longer itself

# C0 and C1 controls but tab and newline; they break mail headers, feeds and XML. Also the bidi overrides and isolates,
# which make text read otherwise than it is stored, the BOM, and lone surrogates, which no UTF-8 can hold.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_INVISIBLE = re.compile("[\u00ad\u200b\u2060-\u2064\u180e\u115f\u1160\u3164\uffa0]")


def clean_text(text: str) -> str:
    """Text of several lines: newlines made one kind, control characters gone, NFC. Never shorter for any other reason."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _CONTROLS.sub("", text))


def clean_line(text: str) -> str:
    """Text of one line: as clean_text, with runs of white space made one space, and invisible characters gone."""
    text = re.sub(r"[\s\u2028\u2029]+", " ", text)
    return _INVISIBLE.sub("", clean_text(text)).strip()


# Python takes these for letters of the ASCII alphabet where it ignores case, and so does the check of an address.
NOT_ASCII = str.maketrans({"\u0130": "i", "\u0131": "i", "\u017f": "s", "\u212a": "k"})


def has_double(address: str) -> bool:
    """An address that a database, or a person, takes for somebody else's: with an “ı” for an “i”, for example."""
    return address.translate(NOT_ASCII) != address


def fold(text: str) -> str:
    """For comparing: no accents, no case, single spaces."""
    plain = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).casefold().split())


TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "del", "code", "pre", "blockquote", "a"),
    *("ul", "ol", "li", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "th": {"align"}, "td": {"align"}}


@cache
def _markdown(*, references: bool = True) -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "linkify": True, "maxNesting": MAX_NESTING})
    markdown.enable(["table", "strikethrough", "linkify"])
    return markdown if references else markdown.disable("reference")


def _parse(source: str) -> list[Token]:
    """A long address that is defined once and used a thousand times would make 140 MB of 50 kB: then it is no definition,
    and stands there as it was typed. (cmark has the same limit.)"""
    tokens = _markdown().parse(source, {})
    addresses = sum(
        len(str(value))
        for token in tokens
        for child in token.children or ()
        for value in child.attrs.values()
    )
    if addresses > max(len(source), MOST_ADDRESSES):
        return _markdown(references=False).parse(source, {})
    return tokens


@cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=TAGS,
        clean_content_tags={"script", "style", "template", "iframe", "object", "svg", "math"},
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow ugc",
        strip_comments=True,
    )


def render_markdown(source: str) -> SafeString:
    """Markdown as safe HTML. Headings start at h3, since a page has its own h1 and h2; pictures become links."""
    tokens = _parse(clean_text(source))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        for child in token.children or ():
            if child.type == "image":  # a picture from elsewhere would tell its server who reads
                child.type, child.tag = "text", ""
                child.content = f"{child.content} ({child.attrGet('src') or ''})"
    html = _markdown().renderer.render(tokens, _markdown().options, {})
    return mark_safe(_cleaner().clean(html))


def plain_text(html: str) -> str:
    """What a reader would read of our own HTML, on one line."""
    spaced = re.sub(r"</(p|li|h\d|blockquote|td|th|tr|pre)>|<br\s*/?>", " ", html)
    text = strip_tags(spaced)
    for entity, char in (
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", '"'),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ):
        text = text.replace(entity, char)
    return clean_line(text.replace("\u00a0", " "))


def excerpt(source: str, length: int = 200) -> str:
    """The first `length` characters of Markdown as plain text, cut at a word, with an ellipsis where cut."""
    text = plain_text(render_markdown(source[: length * 8]))
    if len(text) <= length:
        return text
    cut = text[:length].rsplit(" ", 1)[0].rstrip(" ,;:.-–")
    return f"{cut}…"

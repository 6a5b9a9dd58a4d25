"""Text that people type: cleaned of what breaks things, and Markdown made into safe HTML.

What is stored is what was typed (less control characters); what is shown is HTML made from it by markdown-it-py without
raw HTML, and then sanitised by nh3 with an allow-list, so that a fault in one is caught by the other.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import nh3
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

RENDER_VERSION = 2  # raise it when the rendering changes; a task then renders old posts anew
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
DROPPED_WHOLE = {"script", "style", "template", "iframe", "object", "svg", "math"}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "th": {"align"}, "td": {"align"}}


@dataclass(frozen=True)
class Extras:
    """What posts have beyond plain Markdown: footnotes, people by @handle, pictures that were uploaded here.

    anchor: the ids of its footnotes contain it, so that two texts on one page keep theirs apart. people: the addresses
    of those of these handles (lower case) that are somebody's. picture: the address of an upload of ours, whole.
    """

    anchor: str
    people: Callable[[set[str]], dict[str, str]]
    picture: re.Pattern


@cache
def _markdown(*, references: bool = True, footnotes: bool = False) -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "linkify": True, "maxNesting": MAX_NESTING})
    markdown.enable(["table", "strikethrough", "linkify"])
    if footnotes:
        markdown.use(footnote_plugin, inline=False)  # ^[…] is looked for anew at each of its beginnings
        for name, rule in _FOOTNOTES.items():
            markdown.add_render_rule(name, rule)
    return markdown if references else markdown.disable("reference")


def _footnote(token: Token) -> tuple[int, str]:
    """Its number, and the end of the id of this mention of it."""
    number, again = token.meta["id"] + 1, token.meta.get("subId", 0)
    return number, f"{number}-{again}" if again > 0 else str(number)


def _footnote_ref(renderer, tokens, index, options, env) -> str:
    number, end = _footnote(tokens[index])
    anchor = env["anchor"]
    return f'<sup><a href="#fn-{anchor}-{number}" id="fnref-{anchor}-{end}" role="doc-noteref">{number}</a></sup>'


def _footnote_anchor(renderer, tokens, index, options, env) -> str:
    _number, end = _footnote(tokens[index])
    return f' <a href="#fnref-{env["anchor"]}-{end}" role="doc-backlink">\u21a9\ufe0e</a>'


_FOOTNOTES = {
    "footnote_ref": _footnote_ref,
    "footnote_block_open": lambda *_args: '<section class="footnotes">\n<ol>\n',
    "footnote_open": lambda _r, tokens, index, _o, env: (
        f'<li id="fn-{env["anchor"]}-{_footnote(tokens[index])[0]}">'
    ),
    "footnote_anchor": _footnote_anchor,
}


def _parse(source: str, *, footnotes: bool = False, env: dict | None = None) -> list[Token]:
    """A long address that is defined once and used a thousand times would make 140 MB of 50 kB: then it is no definition,
    and stands there as it was typed. (cmark has the same limit.)"""
    env = {} if env is None else env
    tokens = _markdown(footnotes=footnotes).parse(source, env)
    addresses = sum(
        len(str(value))
        for token in tokens
        for child in token.children or ()
        for value in child.attrs.values()
    )
    if addresses > max(len(source), MOST_ADDRESSES):
        for found in ("references", "footnotes"):
            env.pop(found, None)
        return _markdown(references=False, footnotes=footnotes).parse(source, env)
    return tokens


@cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=TAGS,
        clean_content_tags=DROPPED_WHOLE,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow ugc",
        strip_comments=True,
    )


def _extras_cleaner(extras: Extras) -> nh3.Cleaner:
    """As above, with what footnotes and our own pictures need: each new attribute only with the values we make."""
    anchor = re.escape(extras.anchor)
    values = {
        ("a", "id"): re.compile(rf"fnref-{anchor}-\d+(-\d+)?"),
        ("a", "role"): re.compile(r"doc-(noteref|backlink)"),
        ("li", "id"): re.compile(rf"fn-{anchor}-\d+"),
        ("section", "class"): re.compile(r"footnotes"),
        ("img", "src"): extras.picture,
        ("img", "loading"): re.compile(r"lazy"),
    }

    def keep(tag: str, name: str, value: str) -> str | None:
        allowed = values.get((tag, name))
        return value if allowed is None or allowed.fullmatch(value) else None

    return nh3.Cleaner(
        tags=TAGS | {"sup", "section", "img"},
        clean_content_tags=DROPPED_WHOLE,
        attributes={
            **ATTRIBUTES,
            "a": ATTRIBUTES["a"] | {"id", "role"},
            "li": {"id"},
            "section": {"class"},
            "img": {"src", "alt", "title", "loading"},
        },
        attribute_filter=keep,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow ugc",
        strip_comments=True,
    )


def render_markdown(source: str, extras: Extras | None = None) -> SafeString:
    """Markdown as safe HTML. Headings start at h3, since a page has its own h1 and h2; pictures become words, but for
    those that `extras` knows as ours."""
    env = {"anchor": extras.anchor} if extras else {}
    tokens = _parse(clean_text(source), footnotes=extras is not None, env=env)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        for child in token.children or ():
            if child.type == "image":
                _show_picture(child, extras)
    if extras is not None:
        _link_people(tokens, extras.people)
    markdown = _markdown(footnotes=extras is not None)
    html = markdown.renderer.render(tokens, markdown.options, env)
    return mark_safe((_extras_cleaner(extras) if extras else _cleaner()).clean(html))


def _show_picture(image: Token, extras: Extras | None) -> None:
    """A picture from elsewhere would tell its server who reads: it becomes words. Ours is shown."""
    address = str(image.attrGet("src") or "")
    if extras is not None and extras.picture.fullmatch(address):
        image.attrSet("loading", "lazy")
        return
    image.type, image.tag = "text", ""
    image.content = image.content if address.startswith("/") else f"{image.content} ({address})"


MENTION = re.compile(r"(?<![\w@/.+-])@([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}[A-Za-z0-9])?)(?![\w@-])")
MOST_PEOPLE = 50  # looked up for one text


def _link_people(tokens: list[Token], find: Callable[[set[str]], dict[str, str]]) -> None:
    """@handle becomes a link where somebody has that handle; never inside a link or code."""
    typed = [
        match[1].lower()
        for token in tokens
        for child in token.children or ()
        if child.type == "text"
        for match in MENTION.finditer(child.content)
    ]
    addresses = find(set(list(dict.fromkeys(typed))[:MOST_PEOPLE])) if typed else {}
    if not addresses:
        return
    for token in tokens:
        if token.children:
            token.children = _with_people(token.children, addresses)


def _with_people(children: list[Token], addresses: dict[str, str]) -> list[Token]:
    made: list[Token] = []
    inside = 0  # of a link
    for child in children:
        inside += {"link_open": 1, "link_close": -1}.get(child.type, 0)
        if child.type != "text" or inside:
            made.append(child)
            continue
        end = 0
        for match in MENTION.finditer(child.content):
            address = addresses.get(match[1].lower())
            if address is None:
                continue
            made.append(_words(child.content[end : match.start()]))
            made.append(Token("link_open", "a", 1, attrs={"href": address}))
            made.append(_words(match[0]))
            made.append(Token("link_close", "a", -1))
            end = match.end()
        made.append(_words(child.content[end:]) if end else child)
    return made


def _words(text: str) -> Token:
    return Token("text", "", 0, content=text)


def plain_text(html: str) -> str:
    """What a reader would read of our own HTML, on one line. Items of a list and headings end where they end."""
    ended = re.sub(r"(?<=\w)</li>(?=\s*<li)", "; ", html)
    ended = re.sub(r"(?<=\w)(?:</li>\s*</[uo]l>|</h\d>)(?=\s*<\w)", ". ", ended)
    spaced = re.sub(r"</(p|li|h\d|blockquote|td|th|tr|pre)>|<br\s*/?>", " ", ended)
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

"""The HTML of a mail as lines of text, each the sender's own, quoted, or signature, as mail programs mark it."""

import re
from enum import StrEnum

from lxml import etree

MOST = 500_000  # characters looked at


class Kind(StrEnum):
    OWN = "own"
    QUOTE = "quote"
    SIGNATURE = "signature"


# An element with one of these holds what is quoted: Gmail, Thunderbird, Yahoo, Zoho, Tutanota, Proton, Outlook of 2024.
QUOTED = {
    *("gmail_quote", "gmail_quote_container", "gmail_extra", "gmail_attr", "moz-cite-prefix", "yahoo_quoted"),
    *("protonmail_quote", "zmail_extra", "tutanota_quote", "moz-forward-container", "replyBlockquote"),
    *("mail-editor-reference-message-container", "isForwardContent"),
}
# From one of these to the end all is quoted: Outlook on the web and on phones, Zimbra, older Exchange.
REST_QUOTED = {"divRplyFwdMsg", "appendonsend", "OLK_SRC_BODY_SECTION", "zwchr", "OutlookMessageHeader"}
SIGNATURE = {
    *(
        "gmail_signature",
        "moz-signature",
        "protonmail_signature_block",
        "zimbra-signature",
        "tutanota_signature",
    ),
    *("AppleMailSignature", "mobile-signature", "Signature", "signature", "ms-outlook-mobile-signature"),
    *("apple-signature", "composer_signature", "mail-editor-signature", "ymail_android_signature"),
}
# Outlook for Windows draws this line above the header of the mail that is answered.
OUTLOOK_LINE = re.compile(r"border-top:\s*solid\s*#(?:E1E1E1|B5C4DF)", re.IGNORECASE)

PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre"}
BLOCKS = PARAGRAPHS | {
    *(
        "address",
        "article",
        "body",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "footer",
        "header",
        "hr",
        "li",
        "main",
        "section",
    ),
    "tr",
}
DROPPED = {"script", "style", "head", "title", "template", "svg", "math", "object", "noscript"}


class Lines:
    """Walks the tree and keeps the lines; nothing recurses, however deep the elements lie in one another."""

    def __init__(self):
        self.found: list[tuple[Kind, str]] = []
        self.buffer: list[str] = []
        self.quoted = self.signed = self.dropped = 0  # elements of that kind around this place
        self.rest_is_quoted = False
        self.lists: list[int] = []  # the next number; -1 where there are dots
        self.links: list[int] = []  # where in the buffer the words of a link begin

    @property
    def kind(self) -> Kind:
        if self.quoted or self.rest_is_quoted:
            return Kind.QUOTE
        return Kind.SIGNATURE if self.signed else Kind.OWN

    def flush(self) -> bool:
        """End the line; whether there was one."""
        line = " ".join("".join(self.buffer).replace("\u200b", "").split())
        self.buffer, self.links = [], [0 for _link in self.links]
        if line:
            self.found.append((self.kind, line))
        return bool(line)

    def blank(self) -> None:
        if self.found and self.found[-1][1]:
            self.found.append((self.kind, ""))

    def text(self, words: str | None, *, verbatim: bool = False) -> None:
        if not words or self.dropped:
            return
        first, *others = words.split("\n") if verbatim else [words]
        self.buffer.append(first)
        for line in others:
            self.flush() or self.blank()
            self.buffer.append(line)

    def start(self, element) -> None:
        tag = element.tag
        if tag in DROPPED:
            self.dropped += 1
        if self.dropped:
            return
        if tag == "br":
            self.flush() or self.blank()
        elif tag in BLOCKS:
            self.flush()
            if is_apart(element):
                self.blank()
        self.rest_is_quoted = self.rest_is_quoted or begins_rest(element)
        self.quoted += is_quoted(element)
        self.signed += is_signature(element)
        if tag in ("ul", "ol"):
            self.lists.append(1 if tag == "ol" else -1)
        elif tag == "li":
            self.bullet()
        elif tag in ("td", "th"):
            self.buffer.append(" ")
        elif tag == "a":
            self.links.append(len(self.buffer))
        elif tag == "img" and element.get("src", "").lower().startswith("cid:"):
            self.buffer.append(f" [cid:{element.get('src')[4:]}] ")
        self.text(element.text, verbatim=tag == "pre")

    def end(self, element) -> None:
        tag = element.tag
        if tag in DROPPED:
            self.dropped -= 1
        elif not self.dropped:
            if tag == "a":
                self.link(element.get("href", ""))
            ended = tag in BLOCKS and self.flush()
            if is_apart(element) or (tag == "p" and not ended and not has_words(element)):
                self.blank()
            if tag in ("ul", "ol"):
                self.lists.pop()
            self.quoted -= is_quoted(element)
            self.signed -= is_signature(element)
        inside = element.getparent()
        self.text(element.tail, verbatim=inside is not None and inside.tag == "pre")

    def bullet(self) -> None:
        number = self.lists[-1] if self.lists else -1
        self.buffer.append("- " if number < 0 else f"{number}. ")
        if number > 0:
            self.lists[-1] += 1

    def link(self, href: str) -> None:
        """The words, with the address where the words do not say it."""
        start = self.links.pop()
        words = " ".join("".join(self.buffer[start:]).split())
        if not words or "[cid:" in words or not href.lower().startswith(("http://", "https://")):
            return
        if bare(words) != bare(href):
            label, target = re.sub(r"[\[\]\\]", "", words), re.sub(r"[\s<>()]", "", href)
            self.buffer[start:] = [f"[{label}]({target})"]


def bare(address: str) -> str:
    return re.sub(r"^https?://(?:www\.)?", "", address.lower()).rstrip("/")


def names_of(element) -> set[str]:
    """Classes and id; Outlook puts x_ before those of a mail that is quoted or sent on."""
    names = [*element.get("class", "").split(), element.get("id", "")]
    return {re.sub(r"^(?:x_)+", "", name) for name in names if name}


def is_quoted(element) -> bool:
    if element.tag == "blockquote":
        cited = element.get("type", "").lower() == "cite" or element.get("cite") is not None
        return cited or "border-left" in element.get("style", "") or bool(names_of(element) & QUOTED)
    return element.get("name") == "quote" or bool(names_of(element) & QUOTED)  # GMX and web.de name it


def is_signature(element) -> bool:
    if element.tag == "body":
        return False
    marked = (
        element.get("data-smartmail") == "gmail_signature" or element.get("data-marker") == "__SIG_POST__"
    )
    return marked or bool(names_of(element) & SIGNATURE)


def begins_rest(element) -> bool:
    if element.tag == "hr":
        # tabindex: Outlook on the web and on phones
        return element.get("tabindex") == "-1" or element.get("data-marker") == "__DIVIDER__"
    if element.tag == "div" and OUTLOOK_LINE.search(element.get("style", "")):
        return True
    return bool(names_of(element) & REST_QUOTED)


def is_apart(element) -> bool:
    """An empty line before and behind it; Word makes a paragraph of each line."""
    return element.tag in PARAGRAPHS and not element.get("class", "").startswith("Mso")


def has_words(element) -> bool:
    return bool("".join(element.itertext()).replace("\xa0", " ").strip())


def lines_of_html(html: str) -> list[tuple[Kind, str]]:
    """Own lines are in Markdown as far as lists and links go. Empty where nothing can be read."""
    # An encoding of its own: a lone surrogate or a declared charset would stop the parser.
    data = html[:MOST].encode("utf-8", "replace")
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.LxmlError:
        return []
    if root is None:
        return []
    lines = Lines()
    for event, element in etree.iterwalk(root, events=("start", "end")):
        (lines.start if event == "start" else lines.end)(element)
    lines.flush()
    return lines.found

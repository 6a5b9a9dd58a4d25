"""A message as it came, read: who, about what, in which words, with which files. Never raises for what is odd in it."""

import email
import email.policy
import re
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses, parseaddr

from kmnet.core.text import clean_line, clean_text

from .cutting import CutMail, Lines, cut, lines_of_text
from .html_lines import lines_of_html
from .registry import Attachment

MOST_PARTS = 200
MOST_HEADERS = 200_000  # bytes
MOST_CHARACTERS = 500_000
NO_FILES = {
    *("text/calendar", "application/ms-tnef", "application/pgp-signature", "application/pkcs7-signature"),
    *(
        "application/x-pkcs7-signature",
        "text/x-amp-html",
        "application/pgp-keys",
        "text/x-vcard",
        "text/vcard",
    ),
}
ENCRYPTED = {"multipart/encrypted", "application/pgp-encrypted"}


@dataclass
class ReadMail:
    sender: str = ""  # the address in From, lower case
    sender_name: str = ""
    subject: str = ""
    message_id: str = ""
    body: CutMail = field(default_factory=lambda: CutMail("", "", True, frozenset()))
    attachments: list[Attachment] = field(default_factory=list)
    is_encrypted: bool = False
    is_unreadable: bool = False
    headers: dict[str, list[str]] = field(default_factory=dict)  # by lower-case name, in their order

    def first(self, name: str) -> str:
        return self.headers.get(name.lower(), [""])[0]


def read(raw: bytes) -> ReadMail:
    headers = headers_of_bytes(raw)
    found = ReadMail(headers=headers)
    found.sender_name, found.sender = sender_of(headers.get("from", [""]))
    found.subject = clean_line(found.first("subject"))[:300]
    found.message_id = clean_line(found.first("message-id"))[:300]
    parts = Parts()
    try:
        parts.walk(email.message_from_bytes(raw, policy=email.policy.compat32))
        found.body = parts.words()
    except (
        RecursionError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ):  # the parser has its limits, too
        found.is_unreadable = True
        return found
    found.is_encrypted = parts.is_encrypted
    found.attachments = parts.files(found.body.cids)
    return found


def headers_of_bytes(raw: bytes) -> dict[str, list[str]]:
    return headers_of(BytesHeaderParser(policy=email.policy.compat32).parsebytes(raw[:MOST_HEADERS]))


def headers_of(message: Message) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        found.setdefault(name.lower(), []).append(decoded(value))
    return found


def decoded(value) -> str:
    """A header in words, whatever somebody made of its encodings."""
    text = str(value)
    if "=?" not in text:
        return clean_text(re.sub(r"\s+", " ", as_text(text))).strip()
    try:
        words = str(email.header.make_header(email.header.decode_header(text)))
    except (LookupError, ValueError, UnicodeError, email.errors.HeaderParseError):
        words = text
    return clean_text(re.sub(r"\s+", " ", as_text(words))).strip()


def as_text(value: str) -> str:
    """Bytes beyond ASCII come as lone surrogates: they are UTF-8, or else Latin."""
    raw = value.encode("ascii", "surrogateescape") if any("\udc80" <= c <= "\udcff" for c in value) else None
    if (
        raw is None
        or not value.isprintable()
        and any(ord(c) > 0x7F and not "\udc80" <= c <= "\udcff" for c in value)
    ):
        return value.encode("utf-8", "replace").decode("utf-8") if raw is not None else value
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def sender_of(values: list[str]) -> tuple[str, str]:
    """The one person in From; nobody where there are several, or none."""
    try:
        people = [(name, address) for name, address in getaddresses(values[:1]) if "@" in address]
    except RecursionError:  # a comment in a comment in a comment ...
        people = []
    if len(values) != 1 or len(people) != 1:
        return "", ""
    name, address = people[0]
    return clean_line(name), clean_line(address).lower()[:254]


def address_in(value: str) -> str:
    return parseaddr(value)[1].lower()


class Parts:
    """The tree of a message, gone through once."""

    def __init__(self):
        self.plain: Lines = []
        self.html: Lines = []
        self.found: list[tuple[Attachment, str, bool]] = []  # file, Content-ID, is it a part of the HTML
        self.is_encrypted = False
        self.seen = 0

    def walk(self, part: Message, *, related: bool = False) -> None:
        self.seen += 1
        if self.seen > MOST_PARTS:
            return
        kind = part.get_content_type()
        if kind in ENCRYPTED or is_sealed(part):
            self.is_encrypted = True
            return
        if part.is_multipart() and kind != "message/rfc822":
            children = part.get_payload()
            if kind == "multipart/alternative":
                self.walk_alternatives(children, related)
            else:
                for child in children:
                    self.walk(child, related=related or kind == "multipart/related")
        elif kind in ("text/plain", "text/html") and not is_file(part):
            self.take_text(part, kind)
        elif kind != "message/rfc822" and kind not in NO_FILES:
            self.take_file(part, kind, related)

    def walk_alternatives(self, children: list[Message], related: bool) -> None:
        """The same in several forms. The plain one is read first; the HTML tells of the pictures within the words."""
        for child in children:
            self.walk(child, related=related)

    def take_text(self, part: Message, kind: str) -> None:
        text = text_in(part)
        if kind == "text/plain":
            flowed = str(part.get_param("format", "")).lower() == "flowed"
            text = unflow(text, delsp=str(part.get_param("delsp", "")).lower() == "yes") if flowed else text
            self.plain += lines_of_text(text)
        else:
            self.html += [(kind, clean_text(line)) for kind, line in lines_of_html(text)]

    def take_file(self, part: Message, kind: str, related: bool) -> None:
        content = part.get_payload(decode=True) or b""
        if not content:
            return
        name = clean_line(decoded(part.get_filename() or "")) or f"file.{kind.rpartition('/')[2]}"
        content_id = str(part.get("Content-ID", "")).strip().strip("<>")
        self.found.append((Attachment(name[:200], kind, content), content_id, related and bool(content_id)))

    def words(self) -> CutMail:
        has_plain = any(line.strip() for _kind, line in self.plain)
        found = cut(self.plain if has_plain else self.html)
        if has_plain and self.html and any(inside for _file, _cid, inside in self.found):
            # Plain text often has no trace of a picture between the words; the HTML has.
            named = cut(self.html).cids
            found = CutMail(found.words, found.cut, found.was_empty, found.cids | named)
        return found

    def files(self, cids: frozenset[str]) -> list[Attachment]:
        """What was attached, and of the pictures within the HTML those that stand in the words: not a logo below."""
        return [file for file, cid, inside in self.found if not inside or cid in cids]


def is_sealed(part: Message) -> bool:
    kind = part.get_content_type()
    if kind not in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
        return False
    return str(part.get_param("smime-type", "enveloped-data")).lower() != "signed-data"


def is_file(part: Message) -> bool:
    return part.get_content_disposition() == "attachment"


def text_in(part: Message) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    data = data[: MOST_CHARACTERS * 4]
    charset = str(part.get_content_charset() or "utf-8").lower()
    for one in (charset, "utf-8"):
        try:
            return clean_text(data.decode(one))[:MOST_CHARACTERS]
        except (LookupError, UnicodeError, ValueError):
            continue
    known = charset not in ("utf-8", "us-ascii", "ascii")
    try:
        return clean_text(data.decode(charset if known else "cp1252", "replace"))[:MOST_CHARACTERS]
    except (LookupError, ValueError):
        return clean_text(data.decode("cp1252", "replace"))[:MOST_CHARACTERS]


def unflow(text: str, *, delsp: bool) -> str:
    """RFC 3676: a line that ends in a blank goes on in the next one, as long as both are quoted alike."""
    found: list[list[str]] = []  # the pieces of each line
    before, open_line = "", False
    for line in text.split("\n"):
        marks = re.match(r"^>*", line)[0]
        rest = line[len(marks) :].removeprefix(" ")
        if open_line and marks == before and rest != "-- ":
            found[-1].append(rest)
        else:
            found.append([f"{marks} {rest}" if marks else rest])
        before, open_line = marks, rest.endswith(" ") and rest != "-- "
        if open_line and delsp:
            found[-1][-1] = found[-1][-1][:-1]
    return "\n".join("".join(pieces) for pieces in found)


def domain_of(address: str) -> str:
    try:
        return Address(addr_spec=address).domain.lower()
    except (ValueError, email.errors.HeaderParseError, IndexError):
        return address.rpartition("@")[2].lower()

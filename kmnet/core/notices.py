"""Reading what mail servers write back: that a mail was not delivered (RFC 3464, and the many that know nothing of it), or
that somebody marked it as spam (RFC 5965). Pure: bytes in, notices out."""

import email
import re
from dataclasses import dataclass
from email import policy
from email.message import Message

SOFT, HARD, COMPLAINT = "soft", "hard", "complaint"
MOST = 400_000  # bytes that are looked at
TEXT = 500  # characters that are kept of what the server said


@dataclass(frozen=True)
class Notice:
    """kind: "soft", "hard" or "complaint". recipient: whom it names; "" where it names nobody. message_id: of our mail,
    where it holds it. text: what the server said."""

    kind: str
    recipient: str = ""
    message_id: str = ""
    text: str = ""


def parse_notices(raw: bytes) -> list[Notice]:
    """What this message tells: one for each receiver; none where it is no notice, none that counts (a delay, a delivery,
    a "not spam"), or none that can be read."""
    try:
        return _parsed(raw)
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError):  # the parser has its limits
        return []


def _parsed(raw: bytes) -> list[Notice]:
    message = email.message_from_bytes(raw[:MOST], policy=policy.compat32)
    kind = str(message.get_param("report-type") or "").lower()
    parts = list(message.walk())
    types = {part.get_content_type() for part in parts}
    if kind == "feedback-report" or "message/feedback-report" in types:
        return _complaints(parts)
    if kind == "delivery-status" or "message/delivery-status" in types:
        return _reports(parts)
    if _comes_from_a_machine(message):
        return _guess(message, parts)
    return []


# --- as the standard says --------------------------------------------------------------------------------------------
def _reports(parts: list[Message]) -> list[Notice]:
    """One block for the message, then one for each receiver; Python reads the blocks as messages."""
    found = []
    message_id = _message_id_in(parts)
    for part in parts:
        if part.get_content_type() != "message/delivery-status":
            continue
        for block in _blocks(part):
            recipient = _address(block.get("Final-Recipient") or block.get("Original-Recipient") or "")
            action = str(block.get("Action") or "").strip().lower()
            if action not in ("failed", "") or not (recipient or action):
                continue  # delayed: another notice will follow; delivered, relayed, expanded: fine
            status = str(block.get("Status") or "")
            said = _one_line(str(block.get("Diagnostic-Code") or "").partition(";")[2]) or _one_line(
                str(block.get("Diagnostic-Code") or "")
            )
            if not action and not status:
                continue  # the block about the message
            found.append(
                Notice(kind_of(status, said), recipient, message_id, f"{status} {said}".strip()[:TEXT])
            )
    return found


def _blocks(part: Message) -> list[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        return payload
    return [
        email.message_from_string(block) for block in re.split(r"\r?\n\r?\n", str(payload)) if block.strip()
    ]


def kind_of(status: str, said: str) -> str:
    """Hard: there is no such mailbox, now or later. Soft is all else, also what is refused for what it says or for who we
    are (5.7, full mailboxes, broken ways): that tells nothing against the address."""
    code = re.search(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b", f"{status} {said}")
    if code is None:
        reply = re.search(r"\b(4|5)[0-7]\d\b", said)
        return _by_words(said, hard=bool(reply and reply[1] == "5"))
    kind, subject, detail = code[1], code[2], code[3]
    if kind != "5":
        return SOFT
    if subject == "1" and detail not in ("7", "8"):  # 7, 8: the sender's address
        return HARD
    if subject == "2" and detail == "1":  # disabled
        return HARD
    if subject in ("0", "4", "5", "3"):
        return _by_words(said, hard=subject == "0" or f"{subject}.{detail}" == "4.4")
    return SOFT


_NOBODY = re.compile(
    r"user unknown|unknown user|no such (user|mailbox|recipient|address)|does not exist|doesn't exist|not exist|"
    r"mailbox (not found|unavailable)|unknown recipient|recipient (unknown|not found)|invalid (recipient|mailbox|address)|"
    r"account (has been )?(disabled|closed|deleted)|no mailbox|address rejected|(host|domain)( name)? not found|"
    r"unrouteable address|inactive (user|mailbox)|benutzer unbekannt|existiert nicht|n'existe pas|no existe|inconnu",
    re.IGNORECASE,
)
_FOR_NOW = re.compile(
    r"quota|full|over limit|exceed|temporar|try (again )?later|timed? ?out|greylist|rate|spam|blocked|blacklist|"
    r"block list|reputation|policy|dmarc|spf|dkim|content|too large|size|loop|congest|"
    r"voll|pleine|llen[oa]",
    re.IGNORECASE,
)


# Said of whoever hands the mail in: were it counted against the address, a fault in our own set-up would silence everybody.
_ABOUT_US = re.compile(
    r"relay|authenti|sender|client host|helo|ehlo|not permitted|our server|your (ip|host|server)|reverse dns",
    re.IGNORECASE,
)


def _by_words(said: str, *, hard: bool) -> str:
    if _FOR_NOW.search(said) or _ABOUT_US.search(said):
        return SOFT
    return HARD if hard or _NOBODY.search(said) else SOFT


# --- complaints ------------------------------------------------------------------------------------------------------
def _complaints(parts: list[Message]) -> list[Notice]:
    for part in parts:
        if part.get_content_type() == "message/feedback-report":
            for block in _blocks(part):
                what = str(block.get("Feedback-Type") or "").strip().lower()
                if what in ("", "not-spam", "opt-out", "auth-failure"):
                    return []
                recipient = _address(
                    str(block.get("Original-Rcpt-To") or block.get("Removal-Recipient") or "")
                )
                return [Notice(COMPLAINT, recipient, _message_id_in(parts), what)]
    return []


# --- as all the others do --------------------------------------------------------------------------------------------
_MACHINE = re.compile(r"mailer-daemon|postmaster|mail delivery|mailerdaemon|bounce", re.IGNORECASE)
_SUBJECT = re.compile(
    r"undeliver|delivery (status|failure|failed|notification|has failed)|returned mail|failure notice|mail delivery|"
    r"nicht zustellbar|unzustellbar|non remis|échec|no se pudo entregar|rechazado|message could not be delivered|"
    r"delivery problem|mail system error|not delivered",
    re.IGNORECASE,
)
_DELAYED = re.compile(
    r"delayed|warning|will (continue|keep) (to )?try|still being retried|no action is required", re.IGNORECASE
)


def _comes_from_a_machine(message: Message) -> bool:
    sender = str(message.get("From") or "")
    if str(message.get("Auto-Submitted") or "").lower().startswith("auto-replied") and not _MACHINE.search(
        sender
    ):
        return False  # somebody is away
    nobody = str(message.get("Return-Path") or "x").strip() == "<>"
    return bool(
        (_MACHINE.search(sender) or nobody)
        and (_SUBJECT.search(_header(message, "Subject")) or _failed(message))
    )


def _failed(message: Message) -> bool:
    return bool(message.get("X-Failed-Recipients"))


def _guess(message: Message, parts: list[Message]) -> list[Notice]:
    """A notice in words: what is said above our own mail, of which servers mostly add a copy."""
    words = ""
    for part in parts:
        if part.get_content_type() in ("text/plain", "text/html"):
            words = _text(part)
            break
    if _DELAYED.search(_header(message, "Subject")):
        return []
    own = re.search(
        r"^-{2,}.*(original|copy of|message follows|headers?)|^(return-path|received|message-id):",
        words,
        re.I | re.M,
    )
    said = words[: own.start()] if own else words
    codes = re.search(r"^.*\b([45])\.\d{1,3}\.\d{1,3}\b.*$|^.*\b[45][0-7]\d[ -].*$", said, re.MULTILINE)
    line = _one_line(codes[0]) if codes else ""
    if not line:
        about = _NOBODY.search(said) or _FOR_NOW.search(said)
        if about is None:
            return []  # it says of no fault that we know
        begins = said.rfind("\n", 0, about.start()) + 1
        ends = said.find("\n", about.end())
        line = _one_line(said[begins : ends if ends > 0 else None])
    named = str(message.get("X-Failed-Recipients") or "") or said
    address = re.search(r"[\w.+%'-]{1,64}@(?:[\w-]{1,63}\.)+\w{2,24}", named)
    return [Notice(kind_of("", line), address[0] if address else "", _message_id_in(parts), line[:TEXT])]


# --- what both need --------------------------------------------------------------------------------------------------
_MESSAGE_ID = re.compile(r"^\s*Message-ID:\s*(<[^<>\s]{3,200}>)", re.IGNORECASE | re.MULTILINE)


def _message_id_in(parts: list[Message]) -> str:
    """Of the mail that came back: in its copy or its headers, whether attached or pasted."""
    for part in parts[1:]:
        if part.get_content_type() in ("message/rfc822", "message/rfc822-headers", "text/rfc822-headers"):
            payload = part.get_payload()
            if isinstance(payload, list) and payload:
                found = str(payload[0].get("Message-ID") or "").strip()
                if found:
                    return found
            found = _MESSAGE_ID.search(_text(part) or str(payload))
            if found:
                return found[1]
    for part in parts:
        if part.get_content_maintype() == "text" and (found := _MESSAGE_ID.search(_text(part))):
            return found[1]
    return ""


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        text = payload.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        text = payload.decode("utf-8", "replace")
    if part.get_content_type() == "text/html":
        text = re.sub(r"<(br|/p|/div|/tr|/h\d)[^>]{0,200}>", "\n", text, flags=re.IGNORECASE)
        text = re.sub(r"<[^>]{0,2000}>", " ", text)
    return text


def _header(message: Message, name: str) -> str:
    from email.header import decode_header, make_header

    try:
        return str(make_header(decode_header(str(message.get(name) or ""))))
    except (LookupError, ValueError):
        return str(message.get(name) or "")


def _address(field: str) -> str:
    """`rfc822; <ana@example.org>` names ana@example.org."""
    found = re.search(r"[^\s<>;\"]{1,64}@[^\s<>;\"]{1,255}", str(field))
    return found[0] if found else ""


def _one_line(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())

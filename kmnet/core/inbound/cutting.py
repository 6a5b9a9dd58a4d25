"""What of a mail are the sender's new words, and what is quotation and signature.

Nothing is thrown away: what is cut is given back beside the words, and answers between quoted lines, or below them, stay.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext
from mailparser_reply.constants import MAIL_LANGUAGES

from .html_lines import Kind

Lines = list[tuple[Kind, str]]

LONGEST_HEADER = 400  # characters of "On ... wrote:", over as many as four lines
MOST_LINES = 20_000
KEPT_QUOTE = 8  # lines of what stands above an answer within a quotation
SIGN_OFF_LINES = 12  # so much may stand below "Kind regards", or it is no signature

# --- "On Monday, Ana wrote:" -----------------------------------------------------------------------------------------
_WROTE = [
    r"On\b.{4,}\bwrote\s?:",
    r"\d{4}-\d\d-\d\d.{1,80}:$",  # K-9, Gmail in some locales: 2026-11-22 10:00 GMT+01:00 Ana <...>:
    r"(?:Am|Den|Vom)\b.{4,}\b(?:schrieb|geschrieben)\b.{0,120}:",
    r".{4,120}\bschrieb\b.{0,60}:",
    r"Le\b.{4,}\b(?:a|avez)\s+écrit\s?:",
    r"El\b.{4,}\bescribi(?:ó|o|ste)\s?:",
    r".{4,160}\bescribió\s?:",
    r"Il\b.{4,}\bha scritto\s?:",
    r"Op\b.{4,}\b(?:schreef|geschreven)\b.{0,120}:",
    r"Em\b.{4,}\bescreveu\s?:",
    r"Den\b.{4,}\bskrev\b.{0,120}:",
    r"(?:Dnia|W dniu)\b.{4,}\b(?:napisał|napisała|napisał\(a\)|pisze)\s?:",
    r".{2,120}<[^<>\s]+@[^<>\s]+>\s+(?:wrote|schrieb|a écrit|escribió|ha scritto|schreef|skrev)\b.{0,60}:",
    r".{2,120}\bwrote on\b.{4,80}:",
]

_BEGINS = re.compile(r"(?:On|Am|Den|Vom|Le|El|Il|Op|Em|Dnia|W dniu)\b|\d{4}-")

# --- the header of the mail that Outlook and others put below an answer ----------------------------------------------
_FROM = r"(?:From|Von|De|De la part de|Da|Van|Från|Fra|Od|Remitente|Expéditeur|Absender)"
_FIELD = (
    r"(?:Sent|Date|To|Cc|Subject|Reply-To|Gesendet|Datum|An|Kopie|Betreff|Envoyé|À|A|Objet|Copie|Enviado(?: el)?|Fecha|"
    r"Para|CC|Asunto|Inviato|Data|Oggetto|Verzonden|Aan|Onderwerp|Skickat|Till|Ämne|Sendt|Til|Emne|Enviada(?: em)?|Assunto|"
    r"Wysłano|Do|Temat|Envoyé le|Répondre à|Antwort an)"
)
_FROM_LINE = re.compile(rf"^[*\s]{{0,3}}{_FROM}\s?:[*\s]{{0,3}}\S")
_FIELD_LINE = re.compile(rf"^[*\s]{{0,3}}{_FIELD}\s?:")
_SEPARATOR = re.compile(
    r"^[-_\s]{0,40}(?:Original Message|Original message|Forwarded message|Ursprüngliche Nachricht|Originalnachricht|"
    r"Weitergeleitete Nachricht|Message d['’]origine|Message original|Message transféré|Mensaje original|"
    r"Mensaje reenviado|Messaggio originale|Oorspronkelijk bericht|Originalmeddelande|Mensagem original)[-_\s:]{0,40}$",
    re.IGNORECASE,
)
_RULE = re.compile(r"^(?:[_-]{10,}|-{3,}.{2,50}-{3,})$")
_WHEN_LINE = re.compile(
    r"^[*\s]{0,3}(?:Sent|Date|Gesendet|Datum|Envoyé|Enviado|Fecha|Inviato|Data)\s?:[*\s]{0,3}\S"
)

# --- signatures ------------------------------------------------------------------------------------------------------
_DASHES = re.compile(r"^(?:--|—|__)\s*$")
_SENT_FROM = re.compile(
    r"^(?:Sent (?:from|with|via|by)|Get Outlook for|Download Outlook|Gesendet (?:von|mit|über)|Von meinem .{2,60} gesendet|"
    r"Diese Nachricht wurde von meinem .{2,60} gesendet|Outlook für .{2,20} beziehen|Holen Sie sich Outlook|"
    r"Envoyé (?:de(?:puis)?|à partir) |Obtenir Outlook|Télécharger Outlook|Enviado (?:desde|con|mediante|de) |"
    r"Obtener Outlook|Descargar Outlook|Inviato da|Verzonden (?:vanaf|met)|Skickat från|Enviado do|Wysłano z|"
    r"Provenance : )[^.!?]{0,120}\.?$",
    re.IGNORECASE,
)
_NOTICE = re.compile(
    r"^\W{0,4}(?:(?:DISCLAIMER|CONFIDENTIALITY(?: NOTICE)?|CAUTION|Confidentiality notice|Disclaimer)\b|"
    r"(?:This|The information (?:in|contained)).{0,60}(?:e-?mail|message|communication).{0,160}(?:confidential|intended)|"
    r"Diese (?:E-?Mail|Nachricht).{0,160}(?:vertraulich|bestimmt)|"
    r"Ce (?:message|courriel).{0,160}(?:confidentiel|destin)|"
    r"Este (?:mensaje|correo).{0,160}(?:confidencial|dirig|destin))",
    re.IGNORECASE,
)
_SIGN_OFF = re.compile(
    r"^(?:"
    r"(?:(?:with |many |very )?(?:kind|kindest|best|warm|warmest)(?: (?:regards|wishes))?|regards|best|cheers|"
    r"yours(?: sincerely| faithfully| truly)?|sincerely|(?:many )?thanks(?: (?:again|in advance|a lot|so much))?|"
    r"thank you|all the best|take care|with best wishes|all good wishes)|"
    r"(?:(?:mit )?(?:freundlichen?|besten?|lieben?|vielen?|herzlichen?|schönen?|kollegialen?|sonnigen?) "
    r"(?:Grü(?:ß|ss)en?|Gru(?:ß|ss)|Dank)(?: (?:aus|und) .{2,30})?|Grü(?:ß|ss)e|Gru(?:ß|ss)|MfG|LG|VG|BG|Danke|"
    r"Vielen Dank|Herzlichst)|"
    r"(?:(?:bien |très )?(?:cordialement|sincèrement|amicalement|respectueusement|chaleureusement)(?: à vous)?|"
    r"(?:bien )?à vous|(?:meilleures|sincères) salutations|bonne (?:journée|soirée|fin de semaine)|"
    r"merci(?: d['’]avance| beaucoup)?|à bientôt|salutations)|"
    r"(?:(?:un )?(?:cordial |afectuoso )?saludos?(?: cordiales?| cordial| a todos)?|atentamente|cordialmente|"
    r"un abrazo|abrazos|(?:muchas )?gracias(?: de antemano)?|hasta pronto|saluda(?:ndo)? atentamente)|"
    r"(?:cordiali saluti|met vriendelijke groet(?:en)?|med vänliga hälsningar|mvh|atenciosamente|pozdrawiam)"
    r")\s?[,.!–-]?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class CutMail:
    words: str
    cut: str
    was_empty: bool  # nothing at all, quotations included
    cids: frozenset[str]  # pictures within the words, by Content-ID


@cache
def wrote_headers() -> list[re.Pattern]:
    """Ours, and those that mail-parser-reply knows. They are tried on short candidates only: some of them backtrack."""
    ours = [re.compile(rf"^{pattern}$", re.IGNORECASE | re.DOTALL) for pattern in _WROTE]
    theirs = [known["wrote_header"] for known in MAIL_LANGUAGES.values() if known.get("wrote_header")]
    return ours + [re.compile(pattern) for pattern in theirs]


@cache
def mobile_signatures() -> re.Pattern:
    theirs = [known["sent_from"] for known in MAIL_LANGUAGES.values() if known.get("sent_from")]
    return re.compile(rf"^(?:{'|'.join(theirs)})[^.!?]{{0,80}}\.?$")


@cache
def above_lines() -> list[str]:
    """“Reply above this line.” in every language of the site."""
    found = []
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            found.append(gettext("Reply above this line.").casefold())
    return list(dict.fromkeys(found))


def lines_of_text(text: str) -> Lines:
    """Plain text: what has a “>” in front is quoted."""
    found = []
    for line in text.split("\n")[:MOST_LINES]:
        line = line.replace("\xa0", " ").rstrip()
        quoted = re.match(r"^ ?((?:> ?)+)(.*)$", line)
        found.append((Kind.QUOTE, quoted[2].rstrip()) if quoted else (Kind.OWN, line))
    return found


def cut(lines: Lines) -> CutMail:
    """Find headers of quotations, the rest of what has no mark, and signatures; then keep what is new."""
    lines = mark_signatures(mark_notices(mark_quotations(mark_broken(list(lines)))))
    words, dropped = choose(lines)
    text = tidy(words)
    return CutMail(
        words=text,
        cut=tidy(dropped),
        was_empty=not any(line.strip() for _kind, line in lines),
        cids=frozenset(re.findall(r"\[cid:([^\]\s]{1,200})\]", text)),
    )


def mark_broken(lines: Lines) -> Lines:
    """A quoted line that was too long, so that its end stands on a line of its own without the mark."""
    for at in range(1, len(lines) - 1):
        around = lines[at - 1][0] == lines[at + 1][0] == Kind.QUOTE
        if around and lines[at][0] == Kind.OWN and lines[at][1].strip() and len(lines[at - 1][1]) >= 60:
            lines[at] = (Kind.QUOTE, lines[at][1])
    return lines


def mark_notices(lines: Lines) -> Lines:
    """What a gateway adds below everything: "This message is confidential ..."."""
    last = next((at for at in range(len(lines) - 1, -1, -1) if lines[at][0] == Kind.QUOTE), None)
    start = (last + 1) if last is not None else 0
    for at in range(start, len(lines)):
        if lines[at][0] == Kind.OWN and _NOTICE.match(lines[at][1].strip()):
            begun = any(line.strip() for kind, line in lines[:at] if kind == Kind.OWN)
            end = range(rule_before(lines, at), len(lines)) if begun else range(0)
            for place in end:
                lines[place] = (Kind.SIGNATURE, lines[place][1])
            break
    return lines


def mark_quotations(lines: Lines) -> Lines:
    last_marked = max((at for at, (kind, _line) in enumerate(lines) if kind == Kind.QUOTE), default=-1)
    at = 0
    while at < len(lines):
        kind, line = lines[at]
        if kind != Kind.OWN or not line.strip():
            at += 1
            continue
        if is_above_line(line) or begins_original(lines, at):
            return quote_rest(lines, rule_before(lines, at))
        length = header_length(lines, at)
        if length:
            for place in range(at, at + length):
                lines[place] = (Kind.QUOTE, lines[place][1])
            after = next_with_words(lines, at + length)
            if after is not None and lines[after][0] == Kind.OWN and last_marked < after:
                return quote_rest(
                    lines, at
                )  # Proton, Yahoo and Outlook for phones put no mark before the lines
            at += length
            continue
        at += 1
    return lines


def quote_rest(lines: Lines, place: int) -> Lines:
    return lines[:place] + [(Kind.QUOTE if kind == Kind.OWN else kind, line) for kind, line in lines[place:]]


def is_above_line(line: str) -> bool:
    low = line.casefold()
    return any(words in low for words in above_lines())


def begins_original(lines: Lines, at: int) -> bool:
    """A separator of an “Original Message”, or From:, Sent:, To: one below the other."""
    line = lines[at][1].strip()
    if _SEPARATOR.match(line):
        return True
    following = [text.strip() for _kind, text in lines[at + 1 : at + 12] if text.strip()][:6]
    if not _FROM_LINE.match(line):
        return bool(_WHEN_LINE.match(line)) and any(_FROM_LINE.match(text) for text in following[:2])
    return sum(bool(_FIELD_LINE.match(text)) for text in following) >= 2


def rule_before(lines: Lines, at: int) -> int:
    """Outlook draws a line of underscores first; it goes along."""
    before = [place for place in range(max(0, at - 3), at) if lines[place][1].strip()]
    return before[-1] if before and _RULE.match(lines[before[-1]][1].strip()) else at


def header_length(lines: Lines, at: int) -> int:
    """How many lines from here say who wrote what follows; 0 where they do not. Mail programs break such lines."""
    joined = ""
    for length in range(1, 5):
        if at + length > len(lines) or lines[at + length - 1][0] != Kind.OWN:
            return 0
        part = lines[at + length - 1][1].strip()
        if not part and length > 1:
            return 0
        joined = f"{joined} {part}".strip()
        if len(joined) > LONGEST_HEADER:
            return 0
        if joined.endswith(":") and says_who(joined):
            # "Thanks!" right above "On Monday, Ana <...> wrote:" is no part of it.
            own_words = length > 1 and not _BEGINS.match(joined) and header_length(lines, at + 1)
            return 0 if own_words else length
    return 0


def says_who(line: str) -> bool:
    """It names a moment or an address, too: “Ana wrote:” alone may be somebody's own words."""
    if not re.search(r"\d", line) and "@" not in line:
        return False
    return any(pattern.match(line) for pattern in wrote_headers())


def next_with_words(lines: Lines, place: int) -> int | None:
    return next((at for at in range(place, len(lines)) if lines[at][1].strip()), None)


def mark_signatures(lines: Lines) -> Lines:
    """Each stretch of own lines may end in one."""
    start = 0
    for stretch in stretches(lines):
        end = start + len(stretch)
        if stretch and stretch[0][0] == Kind.OWN:
            first = signature_start([line for _kind, line in stretch])
            for place in range(start + first, end):
                lines[place] = (Kind.SIGNATURE, lines[place][1])
        start = end
    return lines


def stretches(lines: Lines) -> Iterable[Lines]:
    current: Lines = []
    for kind, line in lines:
        if current and current[-1][0] != kind:
            yield current
            current = []
        current.append((kind, line))
    if current:
        yield current


def signature_start(lines: list[str]) -> int:
    """The place from which on it is signature; len(lines) where there is none."""
    full = [at for at, line in enumerate(lines) if line.strip()]  # the places of lines with words
    end = next((at for at in full if _DASHES.match(lines[at])), len(lines))
    for at in full[-3:]:  # below "Sent from my phone" hardly anything stands
        if at < end and is_mobile_signature(lines[at].strip()):
            end = at
            break
    full = [at for at in full if at < end]
    for at in full[1:][-SIGN_OFF_LINES - 1 :]:  # something stands above it, and not much below
        if len(lines[at]) < 60 and _SIGN_OFF.match(lines[at].strip()):
            below = full[full.index(at) + 1 :]
            if all(len(lines[place]) < 120 for place in below):
                return at
    return end


def is_mobile_signature(line: str) -> bool:
    line = re.sub(r"\s?<https?://[^\s<>]+>", "", line[:LONGEST_HEADER])
    return len(line) < 160 and bool(_SENT_FROM.match(line) or mobile_signatures().match(line))


def choose(lines: Lines) -> tuple[list[str], list[str]]:
    """The words to keep, and what is cut."""
    own = [at for at, (kind, line) in enumerate(lines) if kind == Kind.OWN and line.strip()]
    if not own:
        return [], [as_cut(*one) for one in lines]
    first, last = own[0], own[-1]
    inline = any(lines[at][0] == Kind.QUOTE and lines[at][1].strip() for at in range(first, last))
    answered = {place for at in own for place in lead_in(lines, at)} if inline else set()
    kept, dropped = [], []
    for at, (kind, line) in enumerate(lines):
        if kind == Kind.OWN and first <= at <= last:
            if kept and kept[-1].startswith(">") and line.strip():
                kept.append("")
            kept.append(line)
        elif at in answered:
            if kept and kept[-1].strip() and not kept[-1].startswith(">"):
                kept.append("")
            kept.append(f"> {line}".rstrip())
        else:
            dropped.append(as_cut(kind, line))
    return kept, dropped


def lead_in(lines: Lines, place: int) -> list[int]:
    """The last paragraph of the quotation that this line stands below; none where another own line is between."""
    found: list[int] = []
    for at in range(place - 1, -1, -1):
        kind, line = lines[at]
        if not line.strip() and not found:
            continue
        if (
            kind != Kind.QUOTE
            or says_who(line.strip())
            or len(found) >= KEPT_QUOTE
            or (found and not line.strip())
        ):
            break
        if line.strip():
            found.append(at)
    return found


def as_cut(kind: Kind, line: str) -> str:
    return f"> {line}".rstrip() if kind == Kind.QUOTE and line.strip() else line


def tidy(lines: list[str]) -> str:
    return re.sub(r"\n(?:[ \t>]*\n){2,}", "\n\n", "\n".join(lines)).strip("\n").rstrip()

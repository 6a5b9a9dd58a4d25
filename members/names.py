"""Which names and handles we take, and how a handle is made from a name. Knows no model."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

HANDLE_LENGTH = 40
HANDLE_SHAPE = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\Z")

# Letters that no decomposition turns into plain ones.
PLAIN_LETTERS = str.maketrans(
    {
        "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l",
        "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "ħ": "h", "Ħ": "H",
        "ŋ": "ng", "Ŋ": "Ng", "’": "", "'": "", "ʻ": "", "ʼ": "",
    }
)  # fmt: skip

# Words that would be mistaken for a page, a role or the community itself.
RESERVED = frozenset(
    {
        "about", "abuse", "account", "accounts", "admin", "administrator", "all", "anonymous",
        "api", "assets", "contact", "countries", "deleted", "demo", "directory", "discussions", "editor", "without-a-name",
        "email", "erased", "event", "events", "everyone", "feeds", "former-member", "group",
        "groups", "guest", "guests", "help", "here", "home", "host", "hosts", "info", "introductions", "join",
        "kmnet", "library", "login", "logout", "mail", "me", "member", "members", "messages",
        "moderation", "moderator", "moderators", "new", "news", "nobody", "none", "noreply", "null",
        "official", "organiser", "organisers", "owner", "people", "postmaster", "privacy",
        "profile", "register", "root", "search", "security", "settings", "signin", "signout",
        "signup", "site", "staff", "static", "status", "support", "suspended", "system", "team",
        "test", "undefined", "unknown", "user", "users", "webmaster", "welcome", "you",
    }
)  # fmt: skip

# What is read as the same in many typefaces, in this order; hyphens are easily overlooked. The order is part of it.
LOOK_ALIKE = (("-", ""), ("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"))

# Joiners that Persian and the scripts of India need between letters; refused elsewhere.
JOINERS = "\u200c\u200d"
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f")


def plain(text: str) -> str:
    """Without accents and in lower case: the key by which people are sorted and found."""
    decomposed = unicodedata.normalize("NFKD", text.translate(PLAIN_LETTERS))
    letters = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(letters.casefold().split())


def is_joiner_between_letters(text: str, at: int) -> bool:
    if text[at] not in JOINERS or not 0 < at < len(text) - 1:
        return False
    before, after = text[at - 1], text[at + 1]
    return before > "\u0590" and after > "\u0590" and before.isprintable() and after.isprintable()


def clean_name(text: str) -> str:
    """The name as we store it, or a ValidationError that says what is wrong with it."""
    name = unicodedata.normalize("NFC", text).strip(" \t\u00a0")
    for at, letter in enumerate(name):
        hidden = unicodedata.category(letter) in INVISIBLE or letter in BLANK_LETTERS
        variation = "\ufe00" <= letter <= "\ufe0f" or "\U000e0100" <= letter <= "\U000e01ef"
        if (hidden and not is_joiner_between_letters(name, at)) or variation:
            raise ValidationError(
                _("The name holds a character that cannot be seen. Please type the name again."),
                code="invisible",
            )
    name = " ".join(name.split())
    if not any(letter.isalpha() for letter in name):
        raise ValidationError(_("A name needs at least one letter. Any alphabet will do."), code="no_letter")
    if re.search(r"://|www\.|@|[<>]", name, re.IGNORECASE):
        raise ValidationError(_("Please give your name without an address or a link."), code="link")
    if re.search(r"[\u0300-\u036f\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{4}", name):
        raise ValidationError(_("The name has too many marks on one letter."), code="marks")
    return name


def clean_handle(text: str) -> str:
    """A handle that can be an address; whether it is free is asked elsewhere."""
    handle = text.strip().lower()
    if len(handle) < 3 or len(handle) > HANDLE_LENGTH or not HANDLE_SHAPE.match(handle):
        raise ValidationError(
            _("A handle has 3 to 40 letters from a to z, digits and hyphens, as in ana-silva."), code="shape"
        )
    if handle in RESERVED or handle.isdigit():
        raise ValidationError(_("This handle is kept for the site. Please choose another."), code="reserved")
    return handle


def skeleton(handle: str) -> str:
    """What is left of a handle for a quick eye: rnaria and maria, ana-si1va and anasilva are one."""
    looks = handle.lower()
    for letters, instead in LOOK_ALIKE:
        looks = looks.replace(letters, instead)
    return looks


def handle_from(name: str) -> str:
    """“Étienne Gagnon-Roy” gives etienne-gagnon-roy; a name in another script gives “member”."""
    handle = re.sub(r"[^a-z0-9]+", "-", plain(name)).strip("-")[: HANDLE_LENGTH - 8].strip("-")
    if len(handle) < 3 or handle.isdigit():
        return "member"
    return handle

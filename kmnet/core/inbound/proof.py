"""Does the sender's domain vouch for the message? As our own receiving mail server found, and wrote into its header."""

import re

from django.conf import settings

from .reading import ReadMail, domain_of

_RESULT = re.compile(r"\b(dmarc|dkim|spf)\s*=\s*([a-z]+)([^;]*)", re.IGNORECASE)
_PROPERTY = {
    "dkim": re.compile(r"\bheader\.(?:d|i)\s*=\s*\"?@?([^\s;\"]+)", re.IGNORECASE),
    "spf": re.compile(r"\bsmtp\.(?:mailfrom|helo)\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE),
    "dmarc": re.compile(r"\bheader\.from\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE),
}


def results_of(mail: ReadMail) -> str:
    """The header that our server wrote: the topmost that bears its name. Whoever writes others below wins nothing."""
    ours = settings.INBOUND_AUTHSERV_ID.lower()
    if not ours:
        return ""
    for value in mail.headers.get("authentication-results", []):
        name, _semicolon, _rest = value.partition(";")
        if re.sub(r"\([^()]*\)", " ", name).strip().lower().split(" ")[0] == ours:
            return value.partition(";")[2]
    return ""


def plain(results: str) -> str:
    """Without comments. The sender's own words stand in them, such as the local part of MAIL FROM; with quotes and
    brackets there one could write results of one's own: where any are left, nothing is believed."""
    results = re.sub(r"\bheader\.b\s*=\s*\"[A-Za-z0-9+/=]*\"", " ", results)
    results = re.sub(r"\"([^()\"\\;=\s]*)\"", r"\1", results)
    for _level in range(3):
        results = re.sub(r"\([^()\"\\;]*\)", " ", results)
    return "" if re.search(r"[()\"\\]", results) else results


def proven_by(mail: ReadMail) -> str:
    """What passed, for the domain of From: "dkim", "spf", "dmarc", several with blanks between; "" for nothing."""
    passed = [
        method
        for method, result, rest in found_in(plain(results_of(mail)))
        if result == "pass" and any(is_aligned(domain, mail.sender) for domain in domains_in(method, rest))
    ]
    return " ".join(dict.fromkeys(passed))


def is_forged(mail: ReadMail) -> bool:
    """The domain says how its mail can be known, and this is not it."""
    return any(method == "dmarc" and result == "fail" for method, result, _rest in found_in(results_of(mail)))


def found_in(results: str) -> list[tuple[str, str, str]]:
    return [(method.lower(), result.lower(), rest) for method, result, rest in _RESULT.findall(results)]


def domains_in(method: str, rest: str) -> list[str]:
    return [value.lower().rpartition("@")[2].rstrip(".") for value in _PROPERTY[method].findall(rest)]


def is_aligned(domain: str, sender: str) -> bool:
    """The same domain, or one below the other."""
    own = domain_of(sender)
    if "." not in domain or not own:
        return False
    return own == domain or own.endswith(f".{domain}") or domain.endswith(f".{own}")

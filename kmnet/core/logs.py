"""What logs must not hold: by what somebody could act for another, and who somebody is. Logs outlive accounts."""

import re

_TOKENS = re.compile(
    r"((?<!/dev)/mail/[\w-]+/|/feeds/own/|/accounts/confirm-email/|/accounts/password/reset/key/)([^\s/?\"']+)"
)


def hide_tokens(_logger, _method, event: dict) -> dict:
    """A structlog processor: the addresses of signed links lose their tokens, wherever in a line they stand."""
    for key, value in event.items():
        if isinstance(value, str) and any(way in value for way in ("/mail/", "/feeds/", "/accounts/")):
            event[key] = _TOKENS.sub(r"\1…", value)
    return event


_ADDRESSES = re.compile(r"[\w.+%-]{1,64}@(?:[\w-]{1,63}\.)+\w{2,24}")
_HANDLES = re.compile(r"(/members/)[\w-]+(?=/)")


def hide_people(_logger, _method, event: dict) -> dict:
    """A structlog processor: e-mail addresses and the handles in addresses of profiles, also within a trace."""
    for key, value in event.items():
        if isinstance(value, str):
            if "@" in value:
                value = event[key] = _ADDRESSES.sub("…@…", value)
            if "/members/" in value:
                event[key] = _HANDLES.sub(r"\1…", value)
    return event

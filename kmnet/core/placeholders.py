"""Words that admins write for a mail, with a few placeholders: a fixed list, filled in one pass, each value escaped for
where it stands. A person's name is a person's name, whatever it looks like."""

import re
import secrets
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.utils.html import escape
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _

from .text import clean_line, render_markdown

PEOPLE = ("name", "first_name", "host", "community")
LINKS = ("ask", "people", "events", "profile")
PLACEHOLDER = re.compile(r"\{([^{}\n]{0,60})\}")


def check_words(text: str) -> None:
    """Refuse a placeholder that there is none of: it would go out to everybody as it stands."""
    unknown = [found for found in PLACEHOLDER.findall(text) if found not in (*PEOPLE, *LINKS)]
    if unknown:
        raise ValidationError(
            _("There is no placeholder {%(unknown)s}. There are: %(known)s."),
            params={
                "unknown": unknown[0],
                "known": ", ".join(f"{{{name}}}" for name in (*PEOPLE, *LINKS)),
            },
            code="placeholder",
        )


class Words:
    """One mail's words for one receiver."""

    def __init__(self, source: str, *, people: Mapping[str, str], links: Mapping[str, str]):
        self.source, self.people, self.links = source, people, links

    def line(self, source: str) -> str:
        """One line, such as a subject."""
        return clean_line(fill(source, {**self.people, **self.links}))

    def text(self) -> str:
        return fill(self.source, {**self.people, **self.links})

    def html(self) -> str:
        """Names come in after the Markdown was read: nothing in them is read as Markdown or as HTML. Our own links
        come in before, so that `[ask]({ask})` is one."""
        if not self.source:
            return ""
        mark = f"x{secrets.token_hex(8)}"
        marks = {name: f"{mark}{number}x" for number, name in enumerate(self.people)}
        html = render_markdown(fill(self.source, {**marks, **self.links}))
        by_mark = {marks[name]: escape(value) for name, value in self.people.items()}
        # The HTML is sanitised, and what comes in now is escaped, quotes too.
        return mark_safe(re.sub(rf"{mark}\d+x", lambda found: by_mark.get(found[0], ""), html))


def fill(source: str, values: Mapping[str, str]) -> str:
    """One pass: what a value holds is not looked at again."""
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), source)

"""Parts of pages made once: {% pure %} in templates, @pure for functions in Python.

    {% pure name=member.name href=member.get_absolute_url arch=arch_html %}
      <a href="{{ href }}">{{ arch }}<bdi>{{ name }}</bdi></a>
    {% endpure %}

What stands between is made from the named values and from nothing else: it sees no other variable, no request, no
token. So it may be kept for as long as one likes, with no thought of when it goes stale: other values, or another
language, are another part. Values are what can be compared: text, numbers, booleans, None, and tuples of these. No
moments (their words depend on the hour: make the words outside, {% localtime_tag at as when %}), no models (which are
equal while their columns differ), no {% block %}. Each process keeps the latest few hundred of each such place.

The same for a function:

    @pure(maxsize=2000)
    def row_html(title: str, href: str, count: int) -> SafeString: ...
"""

import functools
from datetime import date

from django.template import Context, Node, TemplateSyntaxError
from django.template.base import token_kwargs
from django.template.loader_tags import BlockNode
from django.utils.functional import Promise
from django.utils.translation import get_language

KEPT = 400  # of each place; the oldest goes first


def key_of(value):
    """What tells two values apart: safe text from text, 1 from True, and lazy text by its words in this language."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return kind, value
    if isinstance(value, Promise):
        return str, str(value)
    if isinstance(value, str | int | float):
        return kind, value
    if isinstance(value, tuple):
        return kind, tuple([key_of(part) for part in value])
    raise TypeError(
        f"{kind.__name__} {'is a moment' if isinstance(value, date) else 'cannot be compared'}: {value!r}"
    )


class PureNode(Node):
    def __init__(self, nodelist, given: dict):
        self.nodelist, self.given = nodelist, tuple(given.items())
        self.made: dict[tuple, str] = {}

    def render(self, context):
        values = [expression.resolve(context) for _name, expression in self.given]
        key = (get_language(), *[key_of(value) for value in values])
        made = self.made.get(key)
        if made is None:
            made = self._make(context, values)
            while len(self.made) >= KEPT:
                self.made.pop(next(iter(self.made), None), None)
            self.made[key] = made
        return made

    def _make(self, context, values: list) -> str:
        names = (name for name, _expression in self.given)
        inside = Context(dict(zip(names, values, strict=True)), autoescape=context.autoescape)
        inside.template = context.template
        return self.nodelist.render(inside)


def do_pure(parser, token):
    """{% pure name=value … %}…{% endpure %}: see the top of kmnet/core/pure.py."""
    tag, *bits = token.split_contents()
    given = token_kwargs(bits, parser)
    if bits:
        raise TemplateSyntaxError(f"{tag}: each value has a name: {bits}")
    nodelist = parser.parse(("endpure",))
    parser.delete_first_token()
    if nodelist.get_nodes_by_type(BlockNode):
        raise TemplateSyntaxError(f"{tag}: a block inside would be another one in each page")
    return PureNode(nodelist, given)


def pure(maxsize: int = 1000):
    """For functions of their arguments and of the language, and of nothing else; see the top of this module."""

    def decorate(function):
        @functools.lru_cache(maxsize=maxsize, typed=True)
        def kept(_language, *args):
            return function(*args)

        @functools.wraps(function)
        def asked(*args):
            return kept(get_language(), *args)

        asked.kept = kept
        return asked

    return decorate

"""What the templates of all apps share: `{% load kmnet %}`."""

import json
import re
from functools import lru_cache

from django import template
from django.forms import BaseForm, BaseFormSet, Field
from django.forms.utils import flatatt
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import conditional_escape, escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ..frame import BELL_PATH, MAIN_WAYS, WAYS_OF_GUESTS, bell_figure, bell_label, menu_lines
from ..moments import MOMENTS, exact, world_clock
from ..text import fold

register = template.Library()


PICTURE = {False: (96, 108), True: (320, 358)}  # as members.services.pictures draws them


# --- the frame -------------------------------------------------------------------------------------------------------
@register.simple_tag
def main_ways(signed_in):
    return MAIN_WAYS if signed_in else WAYS_OF_GUESTS


register.simple_tag(menu_lines)
register.simple_tag(bell_figure)
register.simple_tag(bell_label)
register.simple_tag(lambda: BELL_PATH, name="bell_path")


@register.simple_tag
def json_ld(data):
    """{% json_ld data %}: linked data for machines, in the head. A block of data: no browser runs it, no word leaves it."""
    words = json.dumps(data, ensure_ascii=False)
    for char in "<>&\u2028\u2029":
        words = words.replace(char, f"\\u{ord(char):04x}")
    return mark_safe(f'<script type="application/ld+json">{words}</script>')


# --- icons and people ------------------------------------------------------------------------------------------------
@lru_cache(maxsize=256)
def _icon(name: str, classes: str) -> SafeString:
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#i-{}"/></svg>',
        f"icon {classes}".strip(),
        static("img/icons.svg"),
        name,
    )


@register.simple_tag
def icon(name, classes=""):
    """{% icon "bell" %}; arrows that point along the line of reading take "icon--flip". Always beside words."""
    return _icon(name, classes)


@register.simple_tag(name="avatar", takes_context=True)
def avatar_in_page(context, member, size=""):
    """{% avatar member "lg" %}: the person as an arch. Sizes sm, (plain), lg, xl. Nobody (None) is a quiet arch.

    Their picture, where there is one that the reader of the page may see; else their letters."""
    request = getattr(context, "request", None) or context.get("request")
    picture = member.picture_for(request, 320 if size == "xl" else 96) if request and member else ""
    return avatar(member, size, picture)


def avatar(member, size="", picture=""):
    return _arch(getattr(member, "tint", 1), getattr(member, "initials", "·"), size, picture)


@lru_cache(maxsize=10_000)
def _arch(tint: int, initials: str, size: str, picture: str) -> SafeString:
    return format_html(
        '<span class="avatar{} tint-{}" aria-hidden="true">{}</span>',
        f" avatar--{size}" if size else "",
        tint,
        format_html('<img src="{}" alt="" width="{}" height="{}">', picture, *PICTURE[size == "xl"])
        if picture
        else initials,
    )


@register.simple_tag
def person_link(member, css="", signed_in=True):
    """{% person_link post.author "post__name" %}: their name, with the way to their profile where there is one: not of
    somebody who has left or was suspended, and with `signed_in` False not for guests."""
    href = member.get_absolute_url() if signed_in and member.has_page else ""
    return _name(str(member.name), css, href)


@lru_cache(maxsize=10_000)
def _name(name: str, css: str, href: str) -> SafeString:
    css = format_html(' class="{}"', css) if css else ""
    if href:
        return format_html('<a{} href="{}"><bdi>{}</bdi></a>', css, href, name)
    return format_html("<span{}><bdi>{}</bdi></span>", css, name)


@register.filter
def bdi(text):
    """A name between words of another direction: {{ member.name|bdi }}."""
    return format_html("<bdi>{}</bdi>", text)


BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
DEVICES = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


@register.filter
def browser_in_words(user_agent):
    """“Firefox on Android”: enough to know one's own again."""
    browser = next((name for sign, name in BROWSERS if sign in user_agent), "")
    device = next((name for sign, name in DEVICES if sign in user_agent), "")
    if browser and device:
        return gettext("%(browser)s on %(device)s") % {"browser": browser, "device": device}
    return browser or device or gettext("A browser that does not say its name")


# --- time ------------------------------------------------------------------------------------------------------------
@register.simple_tag
def localtime_tag(moment, style="moment"):
    """A <time> in the reader's zone. Styles: see kmnet.core.moments: moment (default), ago, day, date, clock."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    words, full = MOMENTS[style](local), exact(local)
    return _time(local.isoformat(timespec="minutes"), "" if full == words else full, words)


@lru_cache(maxsize=10_000)
def _time(machine: str, title: str, words: str) -> SafeString:
    title = format_html(' title="{}"', title) if title else ""
    return format_html('<time datetime="{}"{}>{}</time>', machine, title, words)


@register.filter
def around_the_world(moment):
    """For guests, whose zone we do not know: the day and hour in a few places of the world."""
    return world_clock(moment)


# --- text ------------------------------------------------------------------------------------------------------------
MARK_START, MARK_END = (
    "\ue000",
    "\ue001",
)  # what search puts around a hit (StartSel, StopSel): no text holds them


@register.filter
def highlight(text, sought=None):
    """A snippet as escaped HTML with <mark> round the hits.

    {{ hit.snippet|highlight:text }}: words that begin as a sought one (a SearchText or a string) are hits. Without an
    argument: what stands between U+E000 and U+E001, as from Postgres.
    """
    if sought:
        text = _mark_words(str(text), sought)
    safe = escape(text).replace(MARK_START, "<mark>").replace(MARK_END, "</mark>")
    if safe.count("<mark>") != safe.count("</mark>"):  # a snippet cut in the middle of a hit
        safe = safe.replace("<mark>", "").replace("</mark>", "")
    return mark_safe(safe)


def _mark_words(text: str, sought) -> str:
    parts = getattr(sought, "parts", None)
    phrases = [spelling for part in parts for spelling in part] if parts else [str(sought)]
    stems = {_stem(word) for phrase in phrases for word in re.findall(r"\w+", phrase)}
    return re.sub(r"\w+", lambda m: f"{MARK_START}{m[0]}{MARK_END}" if _stem(m[0]) in stems else m[0], text)


_ENDINGS = re.compile(r"(?<=\w{3})((is|iz)?ations?|(is|iz)(ing|es|ed|e)|ings?|ers?|ies|ed|es|s|e|y)$")


def _stem(word: str) -> str:
    """Roughly what the search's English stemmer makes of a word: enough to mark what was found."""
    return _ENDINGS.sub("", fold(word))


@register.simple_tag
def facet_options(facet):
    """The boxes of one facet (core.facets.FacetList): as text, since a page has a hundred of them."""
    plus = "+" if facet.at_least else ""
    return format_html_join(
        "\n",
        '<label class="choice"><input type="checkbox" name="{}" value="{}"{}><span>{}</span>{}</label>',
        (
            (
                facet.key,
                option.value,
                CHECKED if option.chosen else "",
                option.label,
                format_html('<span class="n">{}{}</span>', option.count, plus) if option.count else "",
            )
            for option in facet.options
        ),
    )


CHECKED = mark_safe(" checked")


@register.tag
def capture(parser, token):
    """{% capture as name %}…{% endcapture %}: what stands between, kept for later; also a block, used twice."""
    parts = token.split_contents()
    if len(parts) != 3 or parts[1] != "as":
        raise template.TemplateSyntaxError("{% capture as name %}")
    nodelist = parser.parse(["endcapture"])
    parser.delete_first_token()
    return CaptureNode(nodelist, parts[2])


class CaptureNode(template.Node):
    def __init__(self, nodelist, name):
        self.nodelist, self.name = nodelist, name

    def render(self, context):
        context[self.name] = self.nodelist.render(context).strip()
        return ""


# --- addresses -------------------------------------------------------------------------------------------------------
@register.simple_tag(takes_context=True)
def toggled(context, key, value):
    """{% toggled "kind" term.slug %}: this page's query with one facet value put in or taken out, from page one."""
    query = context["request"].GET.copy()
    values, value = query.getlist(key), str(value)
    query.setlist(key, [v for v in values if v != value] if value in values else [*values, value])
    for cursor in ("after", "before", "page"):
        query.pop(cursor, None)
    return "?" + query.urlencode()


# --- forms -----------------------------------------------------------------------------------------------------------
@register.filter
def in_words(error, bound_field):
    """An error as it is said twice: in the summary and at the field. Django's “This field is required” names none."""
    if bound_field is not None and error == Field.default_error_messages["required"]:
        if str(bound_field.label).endswith("?"):
            return gettext("%(field)s This is needed") % {"field": bound_field.label}
        return gettext("%(field)s: this is needed") % {"field": bound_field.label}
    return error


def form_problems_of(form) -> list[dict]:
    """Each thing to fix: the words, and the field to go to ("" where it is about the whole form)."""
    found = []
    for name, errors in form.errors.items():
        target = ""
        if name in form.fields:
            bound = form[name]
            target = bound.id_for_label or f"{bound.auto_id}_0"  # a group of choices: its first
            if bound.is_hidden:
                target = ""
        found += [
            {"target": target, "words": in_words(words, form[name] if target else None)} for words in errors
        ]
    return found


@register.simple_tag
def form_problems(*forms):
    """{% form_problems form other_form as problems %}, for components/_error_summary.html; also of a list of forms."""
    alone = [one for form in forms if form for one in (form if isinstance(form, list) else [form])]
    return [problem for form in alone for problem in form_problems_of(form)]


@register.simple_tag
def things_to_fix(problems):
    few = (_("One thing to fix"), _("Two things to fix"), _("Three things to fix"), _("Four things to fix"))
    count = len(problems)
    if 1 <= count <= len(few):
        return few[count - 1]
    return ngettext("%(count)d thing to fix", "%(count)d things to fix", count) % {"count": count}


@register.simple_tag(takes_context=True)
def page_has_errors(context):
    """Is a form on this page bound and found wanting? Then its title starts with “Error:”."""
    for layer in context.dicts:
        for value in layer.values():
            # type(): isinstance() would wake lazy values, and the CSRF token sets a cookie when woken
            if (
                issubclass(type(value), (BaseForm, BaseFormSet))
                and value.is_bound
                and any(value._errors or ())
            ):
                return True
    return False


@register.filter
def is_one_box(bound_field):
    """A single check box: its label stands behind it."""
    return bound_field.widget_type == "checkbox"


ACCOUNT_WORDS = {
    "login": _("E-mail address"),
    "email": _("E-mail address"),
    "oldpassword": _("Password until now"),
    "code": _("Code"),
}
PASSWORD_HINT = _(
    "Twelve characters or more. Three or four words that only you would put together are easy to keep."
)


@register.filter
def in_our_words(form):
    """A form of django-allauth: the labels of this site, no label said twice as a placeholder, one hint for a password."""
    for name, field in form.fields.items():
        field.widget.attrs.pop("placeholder", None)
        bound = form[name]  # made by now where the form was checked, with the words of then
        field.label = bound.label = ACCOUNT_WORDS.get(name, bound.label)
        if "<ul>" in str(field.help_text):  # the list of rules of Django's validators
            field.help_text = bound.help_text = PASSWORD_HINT
    return form


@register.filter
def optional_in_words(bound_field):
    """Should the label say “(optional)”? A single box or a file of choices explains itself."""
    return not (
        bound_field.field.required
        or not getattr(bound_field.field, "says_optional", True)  # it is needed in some cases, and says so
        or bound_field.widget_type in ("checkbox", "checkboxselectmultiple")
    )


@register.simple_tag
def join_names(names):
    """“Ada, Ben and Chi”, as one sentence part."""
    names = [conditional_escape(name) for name in names]
    if len(names) < 2:
        return mark_safe("".join(names))
    return mark_safe(gettext("%(first)s and %(last)s") % {"first": ", ".join(names[:-1]), "last": names[-1]})


UNBOXED = {"checkbox", "radio", "hidden", "file", "submit", "button", "range", "color"}


@register.simple_tag
def widget_attrs(widget):
    """A widget's attributes, with the look of the design: class input, and the direction of what people write."""
    kind = widget.get("type") or (
        "textarea" if widget["template_name"].endswith("textarea.html") else "select"
    )
    attrs = dict(widget["attrs"])
    if kind not in UNBOXED:
        attrs["class"] = f"input {attrs.get('class') or ''}".strip()
    elif attrs.get("class") == "picks":
        attrs.pop("class")  # said once, by the group
    if kind in ("text", "search", "textarea"):
        attrs.setdefault("dir", "auto")
    return flatatt({name: value for name, value in attrs.items() if value is not False and value is not None})

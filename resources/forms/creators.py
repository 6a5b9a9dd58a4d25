"""Names of creators as people type them, one on a line; some of them members."""

import re
from dataclasses import dataclass

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import TextField
from kmnet.core.text import clean_line
from members.models import Member, has_blocked

from .. import csl
from ..models import Resource

_MEMBER = re.compile(r"(?P<name>.*?)\s*(?:\(\s*@(?P<behind>[\w-]+)\s*\)|(?<!\S)@(?P<alone>[\w-]+))\s*$")


@dataclass(frozen=True)
class Creator:
    """name: CSL. member: who of us that is. by_account: no name was typed, so it is the account's."""

    name: dict
    member: Member | None = None
    by_account: bool = False


class CreatorsField(TextField):
    """“le May, Andrée” is a person, “Health Research Authority” a body, “le May, Andrée (@andree)” a member, and so is
    “@andree” alone. Cleans to a list of Creator; who may be linked is asked in `link_members`."""

    def __init__(self, **kwargs):
        said = {
            "label": _("By whom"),
            "required": False,
            "max_length": 20_000,
            "help_text": _(
                "One on each line: “le May, Andrée” for a person, “Health Research Authority” for a body. A member:"
                " put their handle behind it, as in “le May, Andrée (@andree)”."
            ),
            "widget": forms.Textarea(attrs={"rows": 3}),
        }
        super().__init__(**{**said, **kwargs})

    def clean(self, value):
        lines = [line for line in map(clean_line, super().clean(value).splitlines()) if line]
        if len(lines) > csl.MAX_NAMES:
            raise ValidationError(_("At most %(limit)s names."), params={"limit": csl.MAX_NAMES})
        found = (_MEMBER.match(line) for line in lines)
        typed = [
            (match["name"].strip(" ,"), (match["behind"] or match["alone"]).lower()) if match else (line, "")
            for match, line in zip(found, lines, strict=True)
        ]
        return [(name, handle) for name, handle in typed if handle or csl.parse_name(name)]


def link_members(typed: list[tuple[str, str]], *, actor: Member, resource: Resource | None) -> list[Creator]:
    """The creators of what CreatorsField cleaned. Raises ValidationError for a handle that leads to nobody (whoever
    blocks the actor is nobody to them), stands twice, or is of somebody who took their link off this record."""
    handles = [handle for _name, handle in typed if handle]
    if not handles:
        return [Creator(csl.parse_name(name)) for name, _handle in typed]
    members = {member.handle: member for member in Member.objects.full().filter(handle__in=set(handles))}
    linked = set()
    if resource is not None:
        declined = set(resource.creator_links.filter(declined=True).values_list("member_id", flat=True))
        linked = set(resource.creator_links.filter(declined=False).values_list("member_id", flat=True))
        for member in members.values():
            if member.pk in declined:
                raise ValidationError(
                    _("%(name)s does not want to be linked here. Write the name without the handle."),
                    params={"name": member.name},
                )
    for handle in handles:
        member = members.get(handle)
        is_nobody = member is None or (member.pk not in linked and has_blocked(member, actor))
        if is_nobody:
            raise ValidationError(
                _("No member has the handle @%(handle)s. It is the last part of their profile’s address."),
                params={"handle": handle},
            )
        if handles.count(handle) > 1:
            raise ValidationError(_("@%(handle)s stands there twice."), params={"handle": handle})
    return [_creator(name, members.get(handle)) for name, handle in typed]


def _creator(name: str, member: Member | None) -> Creator:
    parsed = csl.parse_name(name)
    if parsed or member is None:
        return Creator(parsed, member)
    return Creator({"literal": member.name}, member, by_account=True)


def linked_by_place(creators: list[Creator]) -> dict[int, tuple[int, bool]]:
    """Who of them is which member, as services take it (Details.members)."""
    return {
        place: (one.member.pk, one.by_account) for place, one in enumerate(creators) if one.member is not None
    }


def creators_as_typed(resource: Resource) -> str:
    """The names of a record, one on a line, as they can be typed again."""
    links = {
        link.position: link for link in resource.creator_links.filter(declined=False).select_related("member")
    }
    lines = []
    for place, name in enumerate(csl.creators_of(resource.csl)):
        link = links.get(place)
        if link is None:
            lines.append(csl.sorted_name(name))
        elif link.by_account and name == {"literal": link.member.name}:
            lines.append(f"@{link.member.handle}")
        else:
            lines.append(f"{csl.sorted_name(name)} (@{link.member.handle})")
    return "\n".join(lines)

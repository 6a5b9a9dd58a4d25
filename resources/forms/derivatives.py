"""The forms of a version for those who need it differently."""

from django import forms
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LineField, MarkdownField
from kmnet.core.submit_key import SubmitKeyField

from .. import csl
from ..licences import LICENCES
from ..models import LANGUAGES, Derivative, Resource, Visibility
from ..services import Details, Making
from ..vocabulary import TYPE, type_term
from .creators import CreatorsField, link_members, linked_by_place
from .fields import WebAddressField
from .files import FormWithFiles
from .record import VISIBILITIES

Kind = Derivative.Kind
KIND_WORDS = {
    Kind.PLAIN: _("Plain language: short words and sentences, for readers without our training"),
    Kind.EASY: _("Easy read: pictures beside short lines, for people with learning disabilities"),
    Kind.INFOGRAPHIC: _("Infographic: the main points on one page"),
    Kind.AUDIO: _("Audio: to listen to"),
    Kind.VIDEO: _("Video: spoken or signed"),
    Kind.TRANSLATION: _("Translation: the same in another language"),
    Kind.SLIDES: _("Slides: to show it to others"),
}
CHECKED_WORDS = {
    Derivative.Checked.LAY: _("Lay readers, who are those it was made for"),
    Derivative.Checked.PROFESSIONAL: _("Somebody whose work this is: an editor, a translator, a researcher"),
    Derivative.Checked.NOBODY: _("Nobody yet"),
}
# What the vocabulary calls such a record, and how it is cited.
TERMS = {
    Kind.PLAIN: "plain-language version",
    Kind.EASY: "easy read",
    Kind.INFOGRAPHIC: "infographic",
    Kind.AUDIO: "audio",
    Kind.VIDEO: "video",
    Kind.SLIDES: "slides",
}
CSL_TYPES = {
    Kind.INFOGRAPHIC: "graphic",
    Kind.AUDIO: "song",
    Kind.VIDEO: "motion_picture",
    Kind.SLIDES: "speech",
}


class MakingForm(forms.Form):
    """What it is, and who looked over it."""

    kind = forms.ChoiceField(
        label=_("What kind of version?"),
        choices=[(key, KIND_WORDS[key]) for key in Kind],
        widget=forms.RadioSelect,
    )
    checked = forms.ChoiceField(
        label=_("Who has checked it?"),
        choices=[(key, CHECKED_WORDS[key]) for key in Derivative.Checked],
        widget=forms.RadioSelect,
        initial=Derivative.Checked.NOBODY,
    )
    checked_note = LineField(
        label=_("Who, and how"),
        required=False,
        max_length=200,
        help_text=_("As in “read by two people outside health care”. No names, unless they agreed."),
    )

    def clean(self):
        data = super().clean()
        if data.get("checked_note") and data.get("checked") == Derivative.Checked.NOBODY:
            self.add_error("checked", _("You say below who checked it: choose here who that is."))
        return data

    def making(self) -> Making:
        data = self.cleaned_data
        return Making(kind=data["kind"], checked=data["checked"], checked_note=data["checked_note"])


class DerivativeForm(MakingForm, FormWithFiles):
    """A record made from another one, in one short form; its other facts are those of the parent."""

    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES)
    title = LineField(label=_("Title"), max_length=500)
    text = MarkdownField(
        label=_("Its text"),
        required=False,
        max_length=10_000,
        help_text=_(
            "The text itself, if it is short enough: then it can be read on the page of the original. Else a sentence "
            "that says what people find in the file or behind the link."
        ),
        widget=forms.Textarea(attrs={"rows": 10}),
    )
    url = WebAddressField(label=_("Link"), required=False)
    creators = CreatorsField(
        max_length=4_000,
        help_text=_(
            "Who made this version, one on each line: “le May, Andrée”, or the name of a body. A member: put their handle "
            "behind it, as in “le May, Andrée (@andree)”; not for translators, whose names stand behind the authors’."
        ),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    licence = forms.ChoiceField(
        label=_("Licence"),
        choices=[(one.key, format_lazy("{}: {}", one.label, one.meaning)) for one in LICENCES],
        initial="unknown",
        help_text=_("What others may do with this version."),
    )
    visibility = forms.ChoiceField(label=_("Who may see it?"), widget=forms.RadioSelect)
    submit_key = SubmitKeyField()

    field_order = (
        *("kind", "language", "title", "text", "files", "may_share", "url", "checked", "checked_note"),
        *("creators", "licence", "visibility"),
    )

    def __init__(self, *args, parent: Resource, **kwargs):
        super().__init__(*args, **kwargs)
        self.parent = parent
        for name in ("text", "url", "files"):  # any one of them will do, and the page says so
            self.fields[name].says_optional = False
        if parent.visibility == Visibility.GROUP:
            shown = [(Visibility.GROUP, _("The members of “%(name)s”") % {"name": parent.group.name})]
        else:
            public = parent.visibility == Visibility.PUBLIC
            shown = VISIBILITIES if public else VISIBILITIES[1:]
        self.fields["visibility"].choices = shown
        self.fields["visibility"].initial = parent.visibility

    def clean_creators(self):
        return link_members(self.cleaned_data["creators"], actor=self.member, resource=None)

    def clean(self):
        data = super().clean()
        if data.get("kind") == Kind.TRANSLATION and any(one.member for one in data.get("creators") or ()):
            self.add_error("creators", _("Translators are named without a handle: only authors are linked."))
        return data

    def check_matter(self, *, has_files: bool) -> None:
        """There must be something to read, to see or to hear; adds errors to the form."""
        self.check_files(has_files=has_files)
        data = self.cleaned_data
        if not (has_files or data.get("text") or data.get("url") or self.errors):
            self.add_error("text", _("Give at least one of these: its text, a link or a file."))

    def details(self) -> Details:
        data, parent = self.cleaned_data, self.parent
        kind, creators = data["kind"], [one.name for one in data["creators"]]
        item = {"title": data["title"], "issued": {"date-parts": [[timezone.localdate().year]]}}
        if kind == Kind.TRANSLATION:
            item |= {"type": parent.csl.get("type", "document"), "author": csl.creators_of(parent.csl)}
            item |= {"translator": creators} if creators else {}
        else:
            item |= {"type": CSL_TYPES.get(kind, "webpage" if data["url"] else "document")}
            item |= {"author": creators} if creators else {}
        if data["url"]:
            item["URL"] = data["url"]
        terms = list(parent.terms.select_related("facet"))
        own = type_term(TERMS[kind]) if kind in TERMS else None
        if own is not None:
            terms = [own, *(term for term in terms if term.facet.key != TYPE)]
        return Details(
            csl=item,
            description=data["text"],
            language=data["language"],
            licence=data["licence"],
            visibility=data["visibility"],
            group=parent.group if data["visibility"] == Visibility.GROUP else None,
            terms=terms,
            tags=[tag.name for tag in parent.tags.all()],
            members=linked_by_place(data["creators"]),
        )


def initial_from_parent(parent: Resource, member, kind: str) -> dict:
    """What is known before anything is typed."""
    kind = kind if kind in Kind.values else Kind.PLAIN
    same = kind in (Kind.PLAIN, Kind.EASY, Kind.INFOGRAPHIC, Kind.SLIDES, Kind.AUDIO, Kind.VIDEO)
    words = {
        Kind.PLAIN: _("%(title)s, in plain language"),
        Kind.EASY: _("%(title)s, in easy read"),
        Kind.INFOGRAPHIC: _("%(title)s, on one page"),
        Kind.AUDIO: _("%(title)s, to listen to"),
        Kind.VIDEO: _("%(title)s, as a video"),
        Kind.SLIDES: _("%(title)s, as slides"),
        Kind.TRANSLATION: "%(title)s",
    }[kind]
    given, _space, family = member.name.rpartition(" ")
    return {
        "kind": kind,
        "title": (str(words) % {"title": parent.title})[:500],
        "language": parent.language if same else member.language,
        "creators": f"{family}, {given}" if given else member.name,
        "licence": parent.licence if parent.licence.startswith(("cc", "ogl")) else "unknown",
    }

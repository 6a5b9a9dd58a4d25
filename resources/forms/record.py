"""The form of a record."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LineField, MarkdownField
from kmnet.core.models import Term
from kmnet.core.submit_key import SubmitKeyField
from kmnet.core.text import clean_line, fold
from kmnet.core.vocabulary import terms_for
from members.forms.groups import audience_choices, audience_group

from .. import csl
from ..known import Known
from ..licences import LICENCES
from ..models import LANGUAGES, Resource, Visibility
from ..services import Details
from ..services.records import MAX_TAGS
from ..vocabulary import TYPE, type_term
from .creators import CreatorsField, creators_as_typed, link_members, linked_by_place
from .fields import DoiField, WebAddressField
from .files import FormWithFiles

TERMS_PER_FACET = 3
VISIBILITIES = [
    (Visibility.PUBLIC, _("Everybody, also people without an account")),
    (Visibility.MEMBERS, _("Members only")),
]
# The bibliographic type that goes with a term of the facet "type", where there was none before.
CSL_TYPES = {
    "research paper": "article-journal",
    "review": "article-journal",
    "blog": "post-weblog",
    "report": "report",
    "video": "motion_picture",
    "slides": "speech",
}


class ResourceForm(FormWithFiles):
    """One record. `base` is the bibliographic item that the form edits or was filled from."""

    title = LineField(label=_("Title"), max_length=500)
    description = MarkdownField(
        label=_("In your own words"),
        max_length=10_000,
        help_text=_("What is it, and for whom is it useful? Two plain sentences are enough."),
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    creators = CreatorsField()
    year = forms.IntegerField(label=_("Year"), required=False)
    kind = forms.ModelChoiceField(
        label=_("What is it?"), queryset=Term.objects.none(), empty_label=_("Choose one")
    )
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES)
    source = LineField(
        label=_("Journal, site or publisher"),
        required=False,
        max_length=300,
        help_text=_("Where it came out."),
    )
    url = WebAddressField(label=_("Link"), required=False)
    doi = DoiField(label=_("DOI"), required=False)
    licence = forms.ChoiceField(
        label=_("Licence"),
        # Nothing is given away by not choosing; each option says in a sentence what it means.
        choices=[(one.key, format_lazy("{}: {}", one.label, one.meaning)) for one in LICENCES],
        initial="unknown",
        help_text=_(
            "What others may do with it. It often stands on the last page, or at the foot of the site."
        ),
    )
    visibility = forms.ChoiceField(
        label=_("Who may see it?"), choices=VISIBILITIES, widget=forms.RadioSelect, initial=Visibility.PUBLIC
    )
    files_for = forms.BooleanField(
        label=_("Only members may open the files"),
        required=False,
        help_text=_("Everybody sees that it is here, and where it came out."),
    )
    minutes = forms.IntegerField(
        label=_("Minutes it takes"),
        required=False,
        min_value=1,
        max_value=9999,
        help_text=_("To read, to watch or to use it. A guess is enough."),
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    tags = LineField(
        label=_("Tags"),
        required=False,
        max_length=600,
        help_text=_(
            "In your own words, with commas between: mindlines, primary care. Words that others use, too, are found"
            " more often."
        ),
        widget=forms.TextInput(attrs={"list": "tag-words", "autocomplete": "off"}),
    )
    submit_key = SubmitKeyField()

    field_order = (
        *("title", "description", "creators", "year", "kind", "language", "source", "url", "doi"),
        *("files", "licence", "may_share", "visibility", "files_for", "minutes", "tags"),
    )

    def __init__(self, *args, member, base: dict | None = None, resource: Resource | None = None, **kwargs):
        super().__init__(*args, member=member, **kwargs)
        self.base, self.resource = base or {}, resource
        self.facet_names: list[str] = []
        by_facet: dict[str, list[Term]] = {}
        for term in terms_for("resource"):
            by_facet.setdefault(term.facet.key, []).append(term)
        kinds = by_facet.pop(TYPE, [])
        self.fields["kind"].queryset = Term.objects.filter(pk__in=[term.pk for term in kinds])
        self.fields["kind"].choices = [("", _("Choose one")), *((t.pk, _first_upper(t.name)) for t in kinds)]
        self.terms = {term.pk: term for terms in by_facet.values() for term in terms}
        for key, terms in by_facet.items():
            name = f"facet-{key}"
            self.facet_names.append(name)
            self.fields[name] = forms.TypedMultipleChoiceField(
                label=terms[0].facet.label,
                required=False,
                coerce=int,
                choices=[(term.pk, _first_upper(term.name)) for term in terms],
                widget=forms.CheckboxSelectMultiple,
            )
        self.fields["visibility"].choices = [
            *VISIBILITIES,
            *audience_choices(self.member, self.resource.group if self.resource else None),
        ]

    # --- for the template --------------------------------------------------------------------------------------------
    @property
    def facet_fields(self):
        return [self[name] for name in self.facet_names]

    @property
    def facets_in_use(self) -> bool:
        return any(self[name].value() or self[name].errors for name in self.facet_names)

    # --- cleaning ----------------------------------------------------------------------------------------------------
    def clean_year(self):
        year = self.cleaned_data["year"]
        if year is not None and not 1000 <= year <= timezone.localdate().year + 2:
            raise ValidationError(_("A year has four digits, such as 2017, and is not far ahead."))
        return year

    def clean_creators(self):
        return link_members(self.cleaned_data["creators"], actor=self.member, resource=self.resource)

    def clean_tags(self):
        return split_tags(self.cleaned_data["tags"], MAX_TAGS)

    def clean(self):
        data = super().clean()
        self._tags_to_terms(data)
        for name in self.facet_names:
            if len(data.get(name) or []) > TERMS_PER_FACET:
                self.add_error(name, _("Choose up to three, those that fit best."))
        return data

    def _tags_to_terms(self, data: dict) -> None:
        """A tag that is the very name of a term is that term, as long as its facet has room."""
        by_name = {fold(term.name): term for term in self.terms.values()}
        left = []
        for tag in data.get("tags") or []:
            term = by_name.get(fold(tag))
            chosen = data.get(f"facet-{term.facet.key}") if term else None
            if chosen is None or (term.pk not in chosen and len(chosen) >= TERMS_PER_FACET):
                left.append(tag)
            elif term.pk not in chosen:
                chosen.append(term.pk)
        if "tags" in data:
            data["tags"] = left

    # --- what it says ------------------------------------------------------------------------------------------------
    def item(self) -> dict:
        """The bibliographic item: what was known before, with what the form says."""
        data = self.cleaned_data
        base = self.base if _same_thing(self.base, data["doi"]) else {}
        item = {key: value for key, value in base.items() if key not in ("issued", "URL", "DOI")}
        item["title"] = data["title"]
        known = {csl.sorted_name(name): name for name in csl.creators_of(base)}
        creators = [known.get(csl.sorted_name(one.name), one.name) for one in data["creators"]]
        role = "editor" if base.get("editor") and not base.get("author") else "author"
        item.pop(role, None)
        if creators:
            item[role] = creators
        if data["year"] is not None:
            known_date = base.get("issued", {}).get("date-parts", [[None]])[0]
            exact = known_date if known_date[:1] == [data["year"]] else [data["year"]]
            item["issued"] = {"date-parts": [exact]}
        for key, value in (("URL", data["url"]), ("DOI", data["doi"])):
            if value:
                item[key] = value
        if not base.get("type") or base["type"] in ("document", "webpage"):
            fallback = "webpage" if data["url"] else "document"
            item["type"] = CSL_TYPES.get(data["kind"].name, fallback)
        place = source_field(item)
        item.pop(place, None)
        if data["source"]:
            item[place] = data["source"]
        return item

    def details(self) -> Details:
        data = self.cleaned_data
        group = audience_group(data["visibility"])
        terms = [data["kind"]]
        for name in self.facet_names:
            terms += [self.terms[pk] for pk in data.get(name) or [] if pk in self.terms]
        if self.resource:  # what was retired since stays on what has it
            terms += [term for term in self.resource.terms.all() if term.retired_at]
        return Details(
            csl=self.item(),
            description=data["description"],
            language=data["language"],
            licence=data["licence"],
            visibility=Visibility.GROUP if group else data["visibility"],
            group=group,
            files_for=Visibility.MEMBERS if data["files_for"] else "",
            minutes=data["minutes"],
            terms=terms,
            tags=data["tags"],
            members=linked_by_place(data["creators"]),
        )


def split_tags(typed: str, most: int) -> list[str]:
    """The tags between commas, each once. Raises ValidationError for too many or too long ones."""
    tags = [clean_line(tag).strip("#") for tag in typed.replace(";", ",").split(",")]
    tags = list({tag.casefold(): tag for tag in tags if tag}.values())
    if len(tags) > most:
        raise ValidationError(_("At most %(limit)s tags."), params={"limit": most})
    if any(len(tag) > 60 for tag in tags):
        raise ValidationError(_("A tag is a word or two, at most 60 characters."))
    return tags


def source_field(item: dict) -> str:
    """Where the one field "journal, site or publisher" goes: where it stands already, or where its kind has it."""
    for name in ("container-title", "publisher"):
        if item.get(name):
            return name
    kind = item.get("type", "")
    within = kind.startswith("article") or kind in ("post-weblog", "chapter", "paper-conference")
    return "container-title" if within else "publisher"


def _same_thing(base: dict, doi: str) -> bool:
    """Metadata of one DOI is of no use for another."""
    return not base.get("DOI") or not doi or base["DOI"].lower() == doi.lower()


def initial_from_item(item: dict) -> dict:
    """What a form shows of a bibliographic item."""
    return {
        "title": item.get("title", ""),
        "creators": "\n".join(csl.sorted_name(name) for name in csl.creators_of(item)),
        "year": csl.year_of(item),
        "source": item.get(source_field(item), ""),
        "url": item.get("URL", ""),
        "doi": item.get("DOI", ""),
    }


def initial_from_known(known: Known) -> dict:
    """What a form shows of what others say about a thing; only what they say."""
    kind = type_term(known.item.get("type", ""))
    initial = initial_from_item(known.item) | {
        "language": known.language,
        "licence": known.licence,
        "kind": kind.pk if kind else "",
    }
    return {name: value for name, value in initial.items() if value}


def initial_from_resource(resource: Resource) -> dict:
    kinds = [term for term in resource.terms.all() if term.facet.key == TYPE]
    initial = {
        **initial_from_item(resource.csl),
        "creators": creators_as_typed(resource),
        "files_for": bool(resource.files_for),
        "minutes": resource.minutes,
        "description": resource.description,
        "language": resource.language,
        "licence": resource.licence,
        "visibility": f"group-{resource.group_id}" if resource.group_id else resource.visibility,
        "kind": kinds[0].pk if kinds else "",
        "tags": ", ".join(tag.name for tag in resource.tags.all()),
        "may_share": resource.files.exists(),
    }
    for term in resource.terms.all():
        if term.facet.key != TYPE:
            initial.setdefault(f"facet-{term.facet.key}", []).append(term.pk)
    return initial


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]

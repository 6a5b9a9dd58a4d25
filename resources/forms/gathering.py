"""Forms of collections and of saved searches: they clean what was typed, and save nothing."""

from django import forms
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LineField, MarkdownField
from kmnet.core.submit_key import SubmitKeyField
from members.forms.groups import audience_choices, audience_group

from ..collection_permissions import can_curate
from ..models import Collection

V = Collection.Visibility


class CollectionForm(forms.Form):
    """A new collection, or what an old one says of itself."""

    title = LineField(label=_("Title"), max_length=120)
    description = MarkdownField(
        label=_("What is it for?"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Whom does it help, and where should one begin?"),
    )
    visibility = forms.ChoiceField(
        label=_("Who may see it?"),
        widget=forms.RadioSelect,
        initial=V.OWN,
        help_text=_("Of what is in it, everybody sees what they may see anyway."),
    )
    is_curated = forms.BooleanField(
        label=_("The hosts recommend it"),
        required=False,
        help_text=_("It stands first on the page of collections, and all hosts look after it."),
    )
    submit_key = SubmitKeyField()

    def __init__(self, *args, member, collection: Collection | None = None, initial=None, **kwargs):
        stored = {}
        if collection is not None:
            stored = {name: getattr(collection, name) for name in ("title", "description", "is_curated")}
            group = collection.group_id
            stored["visibility"] = f"group-{group}" if group else collection.visibility
        super().__init__(*args, initial={**stored, **(initial or {})}, **kwargs)
        choices = [
            (V.OWN, _("Only me")),
            (V.MEMBERS, _("All members")),
            (V.PUBLIC, _("Everybody, also people without an account")),
            *audience_choices(member, collection.group if collection else None),
        ]
        if collection is not None and collection.group_id:  # what a group wrote stays the group's
            choices = [choice for choice in choices if choice[0] == stored["visibility"]]
        self.fields["visibility"].choices = choices
        if not can_curate(member) or (collection is not None and collection.group_id):
            del self.fields["is_curated"]
        if collection is not None:
            del self.fields["submit_key"]

    def clean(self):
        data = super().clean()
        if data.get("is_curated") and data.get("visibility") not in (V.MEMBERS, V.PUBLIC, None):
            self.add_error("visibility", _("What the hosts recommend is there for all members at least."))
        return data

    def service_fields(self) -> dict:
        data = dict(self.cleaned_data)
        group = audience_group(data["visibility"])
        return {**data, "visibility": V.GROUP if group else data["visibility"], "group": group}


class NoteField(LineField):
    """Why a record is in a collection."""

    def __init__(self, **kwargs):
        kwargs = {"label": _("Why it is here"), "required": False, "max_length": 300, **kwargs}
        super().__init__(**kwargs)


class CollectForm(forms.Form):
    """Into which collection, and why."""

    collection = forms.ChoiceField(label=_("Collection"), widget=forms.RadioSelect)
    note = NoteField(help_text=_("A sentence for whoever opens the collection: what to read it for, say."))

    def __init__(self, *args, collections: list[Collection], **kwargs):
        super().__init__(*args, **kwargs)
        self.by_key = {str(one.pk): one for one in collections}
        self.fields["collection"].choices = [(key, one.title) for key, one in self.by_key.items()]
        if len(collections) == 1:
            self.fields["collection"].initial = collections[0].pk

    def clean_collection(self) -> Collection:
        return self.by_key[self.cleaned_data["collection"]]


class ItemNoteForm(forms.Form):
    note = NoteField()


class SearchForm(forms.Form):
    """What a saved search is called, and whether it tells what is new."""

    name = LineField(label=_("Name"), max_length=120, help_text=_("The mail about what is new says it, too."))
    tells = forms.BooleanField(
        label=_("Write to me when there is something new"),
        required=False,
        initial=True,
        help_text=_("Once a day at most."),
    )

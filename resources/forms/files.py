"""What all forms have in common that bring files."""

from django import forms
from django.core import signing
from django.utils.translation import gettext_lazy as _

from ..models import ResourceFile
from .fields import FilesField

KEPT_SALT = "resources.kept-files"
KEPT_FOR = 24 * 3600


def kept_token(files: list[ResourceFile]) -> str:
    """What carries uploads that belong to no record yet from one page to the next."""
    return signing.dumps([file.pk for file in files], salt=KEPT_SALT)


def files_kept(token, member) -> list[ResourceFile]:
    """The uploads that such a token carries: of this member, not used yet, and for a day."""
    try:
        keys = signing.loads(str(token or ""), salt=KEPT_SALT, max_age=KEPT_FOR)
    except signing.BadSignature:
        return []
    return list(
        ResourceFile.objects.filter(pk__in=keys, resource__isnull=True, added_by=member).order_by("pk")
    )


class FormWithFiles(forms.Form):
    """A form that comes back for a mistake has kept the files that were good: browsers forget them. `kept_files`: rows that
    belong to no record yet; only the member's own, and only for a day."""

    files = FilesField(label=_("File"), required=False)
    may_share = forms.BooleanField(
        label=_("I made this, or I have leave to share the file here"), required=False
    )
    kept = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, member, **kwargs):
        super().__init__(*args, **kwargs)
        self.member = member
        self.kept_files = self._kept_files()

    def _kept_files(self) -> list[ResourceFile]:
        return files_kept(self.data.get("kept") if self.is_bound else self.initial.get("kept"), self.member)

    def keep(self, files: list[ResourceFile]) -> None:
        """Show these uploads as kept, and carry them to the next try."""
        self.kept_files = [*self.kept_files, *files]
        if self.is_bound:
            self.data = self.data.copy()
            self.data["kept"] = kept_token(self.kept_files)

    def check_files(self, *, has_files: bool) -> None:
        """What can be said only once the files are known; adds errors to the form."""
        if has_files and not self.cleaned_data.get("may_share"):
            self.add_error("may_share", _("Tick this if it is so: files need the leave of who made them."))

"""Files that come with a form."""

from django.utils.translation import gettext as _

from kmnet.core.uploads import UploadRefused

from .. import services
from ..forms import FormWithFiles
from ..models import ResourceFile
from ..reading import Patience
from ..services.files import MAX_FILES


def keep_uploads(request, form: FormWithFiles) -> list[ResourceFile]:
    """Keep the good files of a form that was cleaned, whatever else is wrong with it; give all that are kept. What is wrong
    with a file stands at its field."""
    kept, patience = [], Patience()
    for upload in form.cleaned_data.get("files") or []:
        if len(form.kept_files) + len(kept) >= MAX_FILES:
            form.add_error("files", _("A record holds at most %(limit)s files.") % {"limit": MAX_FILES})
            break
        try:
            kept.append(services.keep_upload(actor=request.user, upload=upload, patience=patience))
        except UploadRefused as error:
            form.add_error("files", f"{upload.name}: {' '.join(error.messages)}")
    form.keep(kept)
    return form.kept_files

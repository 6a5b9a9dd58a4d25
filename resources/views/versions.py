"""New versions of a record, and what the old ones were."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from kmnet.core import kept_text
from kmnet.core.access import guests_sign_in
from kmnet.core.models import CommunitySettings
from kmnet.core.ratelimit import limited
from kmnet.core.uploads import UploadRefused

from .. import citing, services
from .. import csl as csl_json
from ..forms import VersionForm
from ..permissions import can_edit_resource, can_open_files
from .access import find_resource, tells_gone
from .uploads import keep_uploads


@login_not_required
@require_safe
@guests_sign_in
@tells_gone
def version(request, pk, slug, number):
    """A version that is not the newest any more; who may see the record may see it."""
    resource = find_resource(request, pk)
    if number == resource.version:
        return redirect(resource, permanent=False)
    found = resource.versions.filter(number=number).first()
    if found is None:
        raise Http404
    if slug != resource.slug:
        return redirect("resources:version", pk, resource.slug, number, permanent=True)
    newer = list(resource.versions.filter(number__gt=number).order_by("number"))
    context = {
        "resource": resource,
        "version": found,
        "title": found.csl.get("title", "") or resource.title,
        "names": [csl_json.display_name(name) for name in csl_json.creators_of(found.csl)],
        "link": found.csl.get("URL", ""),
        "newer": newer,
        "files": list(resource.files.listed_for(request.user).of_version(number)),
        "may_open_files": can_open_files(request.user, resource),
        "citation": citing.format_item(found.csl, "apa"),
    }
    response = render(request, "resources/version.html", context)
    response["X-Robots-Tag"] = "noindex"  # the newest is what search engines shall lead to
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-add", "60/h")
def new_version(request, pk):
    resource = find_resource(request, pk)
    if not can_edit_resource(request.user, resource):
        raise Http404
    if request.method != "POST":
        initial = {
            "begun_from": resource.version,
            "url": resource.url,
            "issued": timezone.localdate(),
            "staying": [file.pk for file in resource.files.of_version(resource.version)],
            **kept_text.take(request),
        }
        form = VersionForm(member=request.user, resource=resource, initial=initial)
        return _form_page(request, form, resource)
    form = VersionForm(request.POST, request.FILES, member=request.user, resource=resource)
    valid = form.is_valid()
    files = keep_uploads(request, form)
    form.check_files(has_files=bool(files))
    if not valid or form.errors:
        return _form_page(request, form, resource, status=422)
    try:
        services.make_version(
            actor=request.user,
            resource=resource,
            begun_from=form.cleaned_data["begun_from"],
            changes=form.cleaned_data["changes"],
            issued=form.issued_parts(),
            url=form.cleaned_data["url"],
            files=files,
            staying=form.cleaned_data.get("staying") or (),
        )
    except UploadRefused as error:
        form.add_error("files", error)
        return _form_page(request, form, resource, status=422)
    except services.NewerMeanwhile:
        form.data = form.data.copy()
        resource.refresh_from_db(fields=["version"])
        form.data["begun_from"] = resource.version
        form.add_error(
            None,
            _(
                "Meanwhile there is a version %(number)d. Look at it, and send this again if yours comes after it."
            )
            % {"number": resource.version},
        )
        return _form_page(request, form, resource, status=409)
    except services.NoMoreVersions:
        form.add_error(None, _("This record has as many versions as one can have: add a new record instead."))
        return _form_page(request, form, resource, status=422)
    kept_text.forget(request)
    messages.success(request, _("The new version is there; the old one can still be found."))
    return redirect(resource)


def _form_page(request, form, resource, *, status=200):
    context = {"form": form, "resource": resource, "max_mb": CommunitySettings.load().max_upload_mb}
    return render(request, "resources/version_form.html", context, status=status)

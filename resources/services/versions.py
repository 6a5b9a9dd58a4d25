"""New versions of a record; the old ones stay readable."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from kmnet.core import activity

from .. import csl as csl_json
from ..citing import forget_citation
from ..identifiers import url_key
from ..models import Resource, ResourceFile, ResourceVersion
from ..permissions import can_edit_resource
from .files import attach_files

MOST_VERSIONS = 200


class NewerMeanwhile(Exception):
    """Another version was made since the form was shown; what was typed was written about an older one."""


class NoMoreVersions(Exception):
    """A record holds MOST_VERSIONS versions."""


@transaction.atomic
def make_version(
    *,
    actor,
    resource: Resource,
    begun_from: int,
    changes: str,
    issued: list[int],
    url: str = "",
    files: Iterable[ResourceFile] = (),
    staying: Iterable[ResourceFile] = (),
) -> ResourceVersion:
    """The next version, with these new files and with those of the present ones that stay; the others belong to the old
    versions alone. Locks the record.

    `begun_from`: the newest version when the form was shown. The same press again gives what the first one made; raises
    NewerMeanwhile where somebody else was faster, NoMoreVersions, PermissionDenied.
    """
    resource = Resource.objects.select_for_update(of=("self",)).get(pk=resource.pk)
    if not can_edit_resource(actor, resource):
        raise PermissionDenied
    if resource.version != begun_from:
        made = resource.versions.filter(number=begun_from + 1, made_by=actor, changes=changes).first()
        if made is None:
            raise NewerMeanwhile
        return made
    if resource.version >= MOST_VERSIONS:
        raise NoMoreVersions
    _keep_present(resource)
    resource.version += 1
    item = {key: value for key, value in resource.csl.items() if key not in ("issued", "URL")}
    item |= {"version": str(resource.version)}
    if issued:
        item["issued"] = {"date-parts": [issued]}
    if url:
        item["URL"] = url
    resource.csl = csl_json.clean_item(item)
    resource.year = csl_json.year_of(resource.csl)
    resource.url = resource.csl.get("URL", "")
    resource.url_key = url_key(resource.url)
    resource.updated_at = timezone.now()
    resource.save(update_fields=["version", "csl", "year", "url", "url_key", "updated_at"])
    forget_citation(resource.pk)
    _move_along(resource, staying)
    files = list(files)
    attach_files(actor=actor, resource=resource, files=files)
    new = ResourceFile.objects.filter(pk__in=[file.pk for file in files], resource=resource)
    new.update(version=resource.version)
    version = ResourceVersion.objects.create(
        resource=resource,
        number=resource.version,
        changes=changes,
        csl=resource.csl,
        made_by=actor,
        created_at=resource.updated_at,
    )
    activity.record("resources.new_version", actor=actor, target=resource, data={"version": version.number})
    return version


def _keep_present(resource: Resource) -> None:
    """The newest version as it stands, before another takes its place; of the first one there is no row yet."""
    version, made = ResourceVersion.objects.get_or_create(
        resource=resource,
        number=resource.version,
        defaults={
            "csl": resource.csl,
            "made_by": resource.added_by,
            "created_at": resource.published_at or resource.created_at,
        },
    )
    if not made:  # what was mended since it was the newest
        version.csl = resource.csl
        version.save(update_fields=["csl"])


def _move_along(resource: Resource, staying: Iterable[ResourceFile]) -> None:
    rows = ResourceFile.objects.filter(
        resource=resource, version=resource.version - 1, pk__in=[file.pk for file in staying]
    )
    rows.update(since_version=Coalesce("since_version", F("version")), version=resource.version)

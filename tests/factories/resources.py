"""Plain factories; the objects are as the services leave them."""

from itertools import count

from django.core.files.uploadedfile import SimpleUploadedFile

from kmnet.core.models import Facet, Term
from resources import services
from resources.models import Collection, Resource, ResourceFile

numbers = count(1)
# Queries of a record's page for a guest: the record with its terms and tags, the members among its creators, its files,
# stories, what was made from it, its links, talk about it, what goes well with it, and the collections that hold it.
RECORD_PAGE = 9


def make_resource(
    *,
    title="",
    added_by=None,
    creators=("Roman Kislov",),
    year=2017,
    doi="",
    url="",
    terms=(),
    tags=(),
    csl=None,
    **fields,
) -> Resource:
    """A public research paper, in the library since now. `terms`: Term objects; creators as people type them."""
    from resources.csl import parse_name

    number = next(numbers)
    item = {
        "type": "article-journal",
        "title": title or f"Resource {number}",
        "author": [parse_name(name) for name in creators],
        **({"issued": {"date-parts": [[year]]}} if year else {}),
        **({"DOI": doi} if doi else {}),
        **({"URL": url} if url else {}),
        **(csl or {}),
    }
    details = {
        key: fields.pop(key) for key in ("description", "language", "licence", "visibility") if key in fields
    }
    published_at = fields.pop("published_at", None)
    resource = services.add_resource(
        actor=None,
        details=services.Details(csl=item, terms=terms, tags=tags, **details),
        published_at=published_at,
        announce=False,
    )
    fields["added_by"] = added_by
    fields.setdefault("keeper", added_by)
    for name, value in fields.items():
        setattr(resource, name, value)
    resource.save(update_fields=list(fields))
    return resource


def make_term(facet="type", name="guide", **fields) -> Term:
    """A term of the vocabulary, in a facet for resources that is made where it is missing."""
    known, _new = Facet.objects.get_or_create(
        key=facet, defaults={"label": facet.capitalize(), "applies_to": ["resource"]}
    )
    return Term.objects.get_or_create(facet=known, name=name, defaults=fields)[0]


PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


def make_upload(name="guide.pdf", content=PDF, content_type="application/octet-stream") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type=content_type)


def make_file(*, resource: Resource, name="guide.pdf", content=PDF) -> ResourceFile:
    """A file of a record, in the storage of the tests."""
    file = services.keep_upload(actor=resource.added_by, upload=make_upload(name, content))
    file.resource = resource
    file.save()
    return file


def make_collection(*, owner, items=(), notes=(), **fields) -> Collection:
    """A collection of these records, in this order; of the owner alone unless `visibility` says otherwise."""
    fields.setdefault("title", f"Collection {next(numbers)}")
    collection = services.make_collection(actor=owner, **fields)
    notes = [*notes, *[""] * len(items)]
    for resource, note in zip(items, notes, strict=False):
        services.collect(actor=owner, collection=collection, resource=resource, note=note)
    collection.refresh_from_db()
    return collection

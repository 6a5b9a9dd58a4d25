"""What goes well with a record."""

from django.db.models import Count

from ..models import Resource


def related_to(resource: Resource, viewer, limit: int = 4) -> list[Resource]:
    """What shares most tags with a record, newest first among equals; [] where nothing does."""
    tags = [tag.pk for tag in resource.tags.all()]
    if not tags:
        return []
    return list(
        Resource.objects.visible_to(viewer)
        .exclude(pk=resource.pk)
        .filter(resource_tags__tag__in=tags)
        .annotate(shared=Count("resource_tags"))
        .order_by("-shared", "-published_at", "-pk")
        .only("pk", "title", "slug", "csl", "language", "year", "creators")[:limit]
    )

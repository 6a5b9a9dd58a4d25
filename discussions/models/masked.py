"""An author who asked without their name: whoever looks at what they wrote is shown somebody else.

The row carries the account of nobody (members.services.nobody) and the name for this thread; who is behind it stands in
Mask alone. So no page, mail or search that shows `post.author` can tell.
"""

import copy

from django.db import models
from django.db.models.fields.related_descriptors import ForwardManyToOneDescriptor
from django.utils.translation import gettext


class ShownAuthor(ForwardManyToOneDescriptor):
    """The author as readers see them: of a row with a mask, nobody under the name of the mask."""

    def __get__(self, instance, cls=None):
        found = super().__get__(instance, cls)
        if instance is None or found is None or not instance.mask_name:
            return found
        shown = instance.__dict__.get("_shown_author")
        if shown is None or shown.pk != found.pk:
            shown = copy.copy(found)
            shown.name = gettext("%(name)s (name withheld)") % {"name": instance.mask_name}
            instance.__dict__["_shown_author"] = shown
        return shown


class AuthorField(models.ForeignKey):
    """Needs the columns mask_name and mask beside it."""

    forward_related_accessor_class = ShownAuthor

    def deconstruct(self):
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.ForeignKey", args, kwargs


def written_by(user, prefix: str = "") -> models.Q:
    """What this person wrote, under their name or without it: a condition on threads or posts."""
    from .private import Mask

    masks = Mask.objects.filter(member=user.pk).values("pk")
    return models.Q(**{f"{prefix}author": user.pk}) | models.Q(**{f"{prefix}mask__in": masks})

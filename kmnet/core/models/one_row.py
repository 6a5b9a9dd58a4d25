"""Settings that are one row of a table."""

from typing import ClassVar, Self

from django.core.cache import cache
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

KEPT_FOR = 60  # seconds


def between(low: int, high: int) -> list:
    """Validators for a number, both ends included."""
    return [MinValueValidator(low), MaxValueValidator(high)]


class OneRow(models.Model):
    """What admins decide: the row with pk 1, kept in the cache for up to a minute. Say `cache_key`, and a constraint that
    there is no other row."""

    cache_key: ClassVar[str]

    class Meta:
        abstract = True

    def save(self, *args, **kwargs):
        self.pk = 1
        super().save(*args, **kwargs)
        cache.delete(self.cache_key)

    @classmethod
    def load(cls) -> Self:
        """The settings. Where no row exists yet: the defaults, unsaved."""
        found = cache.get(cls.cache_key)
        if found is None:
            found = cls.objects.filter(pk=1).first() or cls(pk=1)
            cache.set(cls.cache_key, found, KEPT_FOR)
        return found

"""What harvesters were told of, and when it changed: all that is kept of a record that is not public any more."""

from django.db import models


class HarvestRecord(models.Model):
    """A record that is or was public. `number` is the resource's, which may be long gone.

    Written by triggers on the resources' table (migrations), whoever changes it: so that nothing can stop being public
    without its harvesters hearing of it. Of what is gone nothing is kept but that, and when."""

    number = models.BigIntegerField(primary_key=True)
    changed_at = models.DateTimeField()
    is_gone = models.BooleanField(default=False)

    class Meta:
        verbose_name = "record told to harvesters"
        verbose_name_plural = "records told to harvesters"
        indexes = [models.Index(fields=["changed_at", "number"], name="harvest_by_change")]

    def __str__(self):
        return f"record {self.number}"

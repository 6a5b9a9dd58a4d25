from django.db import models


class Heartbeat(models.Model):
    """When a part of the machinery was last seen at work; /readyz tells of it."""

    name = models.CharField(max_length=40, primary_key=True)
    seen_at = models.DateTimeField()

    def __str__(self):
        return self.name

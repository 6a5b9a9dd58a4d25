"""A worker or a beat as in a site, in more of a hurry: python tests/fault/site.py worker|beat arguments..."""

import os
import sys
from dataclasses import replace

sys.path.insert(0, os.getcwd())
os.environ["DJANGO_SETTINGS_MODULE"] = "kmnet.settings"

from celery.signals import import_modules

from kmnet.celery import app


@import_modules.connect
def hurry(**_signal):
    """After the site's own receiver has made the schedule: seconds instead of minutes, also between two tries."""
    from kmnet.core import jobs
    from kmnet.core.mail import delivery

    delivery.SOON[:] = delivery.BULK[:] = [0.5] * 500
    for key, job in jobs._jobs.items():
        jobs._jobs[key] = replace(job, every=2)
    app.conf.beat_schedule = jobs.schedule()


if __name__ == "__main__":
    app.start(sys.argv[1:])

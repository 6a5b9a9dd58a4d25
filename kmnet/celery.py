"""The Celery application. A task is only a wake-up; the truth is a row in Postgres."""

import os

from celery import Celery
from celery.signals import beat_init, import_modules, setup_logging, worker_init
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kmnet.settings")

app = Celery("kmnet")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)  # the request id of the page follows into its tasks
app.autodiscover_tasks()


@import_modules.connect
def make_schedule(**kwargs):
    """After Django is set up, and before beat reads it: every job that an app has registered."""
    import django

    django.setup()
    from kmnet.core import jobs

    app.conf.beat_schedule = jobs.schedule()


@setup_logging.connect
def use_our_logging(**kwargs):
    """Workers log as the site does: one JSON object a line."""
    import logging.config  # Celery calls this before Django is set up

    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@worker_init.connect
@beat_init.connect
def look_before_starting(**kwargs):
    from kmnet.core.startup import refuse_demo_accounts  # this module is imported before Django is set up

    refuse_demo_accounts()

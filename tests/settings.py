"""Settings of the tests: the site as in the demo, with what would make tests slow or shared taken out."""

import os

os.environ["KMNET_DEMO"] = "1"  # never production; the plugin tests.services has set the databases
os.environ.pop("DEBUG", None)
os.environ.pop("EMAIL_URL", None)
os.environ["SITE_URL"] = "http://testserver"

from kmnet.settings import *  # noqa: F403
from kmnet.settings import CACHES, LOGGING, STORAGES

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CACHES["default"]["KEY_PREFIX"] = f"test-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
CHECK_FIXED_QUERIES = True
DIGEST_SHARED_FOR = -1  # each test has rows of its own, and moves their moments
KEEP_GUEST_PAGES = False  # tests/core/test_guest_pages.py is about them
CELERY_BROKER_URL = "memory://"  # wake-ups go nowhere; tests run the work themselves
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
LOGGING["root"]["level"] = "ERROR"
STAFF_NEED_SECOND_STEP = False  # tests/members/test_mfa.py is about it
POST_GRACE_MINUTES = 0  # tests/discussions/test_taking_back.py is about it

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kmnet.settings")

application = get_wsgi_application()

from kmnet.core.startup import keep_what_is_loaded, refuse_demo_accounts  # noqa: E402  (the apps are ready only now)

refuse_demo_accounts()
keep_what_is_loaded()

"""A whole site for browsers: a live server, its mail in the in-site mailbox, and the work that workers would do."""

import pytest
from django.core.handlers.wsgi import WSGIHandler

from discussions.services import seed_spaces
from kmnet.core.models import CommunitySettings
from kmnet.core.vocabulary import load_vocabulary

from .people import Site


@pytest.fixture
def site(live_server, settings, transactional_db, browser, monkeypatch):
    """The site as `make run` shows it, without demo data. `site.work()` does what worker and beat would do."""
    settings.SITE_URL = live_server.url
    settings.EMAIL_BACKEND = "kmnet.core.mailbox.MailboxBackend"
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    settings.ACCOUNT_RATE_LIMITS = settings.MFA_RATE_LIMITS = False  # counted in Redis, which outlives a test
    CommunitySettings().save()
    load_vocabulary()
    seed_spaces()
    made = Site(live_server.url, browser)
    answer = WSGIHandler.get_response

    def answer_and_note(handler, request):
        response = answer(handler, request)
        made.note(request, response)
        return response

    monkeypatch.setattr(WSGIHandler, "get_response", answer_and_note)
    yield made
    made.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A journey that fails tells what each of its people saw: one that fails once in a hundred times is not seen again."""
    report = yield
    if report.failed and call.when == "call" and (site := getattr(item, "funcargs", {}).get("site")):
        report.sections.append(("What people saw", site.told()))
    return report

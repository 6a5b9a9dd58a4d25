"""What the browser tests need of Playwright: a Chromium that is there, and one that phones nobody."""

import os
from unittest import mock

import pytest
from playwright.sync_api import expect

from tests import browser_finder
from tests.together import LONG

# Playwright's synchronous API keeps an event loop in the thread; Django would refuse the database to it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

# Milliseconds. On a busy machine Playwright's own 5 and 30 s are few; where all is well nobody waits.
expect.set_options(timeout=30_000)

# Of several such arguments Chromium heeds the last: what Playwright turns off is said once more. And then what would draw
# a page of its own below the address bar of each window, which takes a third of Chromium's time and which nobody opens;
# and what makes a new frame for each page, and a process before it is needed, which takes a tenth.
OFF = [
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "RenderDocument",
    "SpareRendererForSitePerProcess",
    "ThirdPartyStoragePartitioning",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxPopup",
]

QUIET = [
    f"--disable-features={','.join(OFF)}",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--renderer-process-limit=1",
    "--in-process-gpu",
    "--disable-smooth-scrolling",
    # Each page is new to the compiler: what would be fast after minutes costs more than it saves.
    "--js-flags=--max-opt=2 --min-semi-space-size=64",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    chromium = browser_finder.get_chromium()
    if not chromium:
        missing = "There is no Chromium, and none could be had: install one, or name it in CHROMIUM."
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0  # whose Chromium has no sandbox
    return {
        **browser_type_launch_args,
        "executable_path": chromium,
        "args": [*QUIET, *(["--no-sandbox"] if as_root else [])],
        "env": {**os.environ, **browser_finder.environment(chromium)},
    }


@pytest.fixture
def context(context):
    context.set_default_timeout(LONG * 1000)  # for what is clicked, filled and loaded
    return context


@pytest.fixture(scope="session")
def live_server(live_server):
    """As pytest-django's. Files do not change while tests run, so browsers need not ask again; and axe is among them."""
    from django.contrib.staticfiles.handlers import StaticFilesHandlerMixin
    from django.http import HttpResponse

    from tests.browser.judging import AXE, AXE_AT

    serve = StaticFilesHandlerMixin.serve

    def serve_for_long(handler, request):
        if request.path == AXE_AT:
            response = HttpResponse(AXE, content_type="text/javascript")
        else:
            response = serve(handler, request)
        response["Cache-Control"] = "max-age=3600"
        return response

    with mock.patch.object(StaticFilesHandlerMixin, "serve", serve_for_long):
        yield live_server

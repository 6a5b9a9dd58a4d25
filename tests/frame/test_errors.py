"""What went wrong, said in the site's own look, also where little else stands."""

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.test import Client, RequestFactory
from django.urls import path

from kmnet.core import views
from kmnet.core.middleware import UnavailableMiddleware
from kmnet.urls import *  # noqa: F403  the site, with a few views that fail
from kmnet.urls import urlpatterns as site_urls
from tests.factories import make_member


def failing(error):
    def view(request):
        raise error

    view.login_required = False
    return view


urlpatterns = [
    path("fails/500/", failing(RuntimeError("a secret detail"))),
    path("fails/403/", failing(PermissionDenied())),
    path("fails/400/", failing(SuspiciousOperation("odd"))),
    path("fails/503/", failing(OperationalError("connection to server failed"))),
    path("fails/503b/", failing(InterfaceError("connection already closed"))),
    *site_urls,
]

pytestmark = pytest.mark.urls("tests.frame.test_errors")


@pytest.fixture
def visitor():
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/fails/400/", 400, "We could not read this request."),
        ("/fails/403/", 403, "This is not open to you."),
        ("/nowhere/", 404, "There is nothing here."),
        ("/fails/500/", 500, "This did not work, and it is our fault."),
        ("/fails/503/", 503, "kmnet is taking a short pause."),
        ("/fails/503b/", 503, "kmnet is taking a short pause."),
    ],
)
@pytest.mark.django_db
def test_each_error_has_its_page(visitor, address, status, words):
    response = visitor.get(address)
    html = response.content.decode()
    assert response.status_code == status
    assert html.count(f"<h1>{words}</h1>") == 1
    assert html.startswith("<!doctype html>")
    assert "css/tokens.css" in html
    assert "Traceback" not in html
    assert "secret detail" not in html
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_a_member_keeps_the_frame_on_a_missing_page(visitor):
    visitor.force_login(make_member(name="Iris Vandermeulen"), "django.contrib.auth.backends.ModelBackend")
    html = visitor.get("/nowhere/").content.decode()
    assert "Your account, Iris Vandermeulen" in html


def test_pages_stand_without_a_database_and_without_a_member():
    """No `db` fixture: a query would raise."""
    request = RequestFactory().get("/")
    statuses = [
        view(request).status_code
        for view in (views.bad_request, views.forbidden, views.not_found, views.too_many, views.server_error)
    ]
    assert statuses == [400, 403, 404, 429, 500]


def test_the_frame_is_left_out_where_the_member_cannot_be_read():
    class Unreadable:
        @property
        def is_authenticated(self):
            raise OperationalError("gone")

    request = RequestFactory().get("/")
    request.user = Unreadable()
    response = views.not_found(request)
    assert response.status_code == 404
    assert b'class="tabbar"' not in response.content


def test_a_database_that_is_away_says_when_to_come_back():
    request = RequestFactory().post(
        "/", {"body": "A long answer that took an hour", "password": "my secret words"}
    )
    response = UnavailableMiddleware(lambda r: None).process_exception(request, OperationalError("gone"))
    assert (response.status_code, response["Retry-After"]) == (503, "30")
    assert b"A long answer that took an hour" in response.content
    assert b"my secret words" not in response.content
    assert UnavailableMiddleware(lambda r: None).process_exception(request, ValueError()) is None


def test_a_database_met_in_a_middleware_is_a_pause_and_not_our_fault():
    request = RequestFactory().get("/")
    try:
        try:
            raise OperationalError("gone")
        except OperationalError as error:
            raise RuntimeError("while reading the session") from error
    except RuntimeError:
        response = views.server_error(request)
    assert response.status_code == 503


def test_an_error_without_templates_is_still_an_answer(monkeypatch):
    def broken(*args, **kwargs):
        raise ValueError("no manifest")

    monkeypatch.setattr(views.loader, "render_to_string", broken)
    response = views.server_error(RequestFactory().get("/"))
    assert (response.status_code, response.content) == (
        500,
        b"<!doctype html><title>Something went wrong on our side</title><h1>Something went wrong on our side</h1>",
    )


@pytest.mark.django_db
def test_a_page_open_for_too_long_gives_back_what_was_typed():
    visitor = Client(enforce_csrf_checks=True)
    typed = "Twenty minutes of careful words about <falls>"
    response = visitor.post("/accounts/login/", {"login": typed, "password": "my secret words"})
    html = response.content.decode()
    assert response.status_code == 403
    assert "This page had been open for too long." in html
    assert "Twenty minutes of careful words about &lt;falls&gt;</textarea>" in html
    assert "my secret words" not in html


@pytest.mark.django_db
def test_too_many_says_when_to_try_again():
    response = views.too_many(RequestFactory().post("/", {"body": "Words that were sent too fast"}))
    assert (response.status_code, response["Retry-After"]) == (429, "60")
    assert b"Words that were sent too fast" in response.content

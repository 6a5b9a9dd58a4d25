"""The policy that keeps strangers' scripts out stands on each answer, though it is made once."""

from csp.constants import NONCE
from django.http import HttpResponse
from django.test import RequestFactory

from kmnet.core.middleware import PolicyMiddleware

HEADER = "Content-Security-Policy"


def answer(middleware, response=None, *, nonce=False) -> str:
    request = RequestFactory().get("/")
    middleware.process_request(request)
    if nonce:
        str(request.csp_nonce)
    return middleware.process_response(request, response or HttpResponse())[HEADER]


def test_the_second_answer_has_the_policy_of_the_first():
    middleware = PolicyMiddleware(lambda request: None)
    first = answer(middleware)
    assert "default-src 'none'" in first
    assert "script-src 'self'" in first
    assert answer(middleware) == first


def test_what_asks_for_another_policy_gets_it_and_nobody_else(settings):
    middleware = PolicyMiddleware(lambda request: None)
    first = answer(middleware)
    other = HttpResponse()
    other._csp_replace = {"script-src": ["'none'"]}
    assert "script-src 'none'" in answer(middleware, other)
    assert answer(middleware, HttpResponse(headers={HEADER: "sandbox"})) == "sandbox"
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {"script-src": ["'self'", NONCE]}}
    assert "'nonce-" in answer(middleware, nonce=True)
    assert answer(middleware) == first

"""The health checks of the containers."""

import contextlib
import http.server
import os
import socket
import threading
import time

import pytest
from celery.app.control import Inspect

from kmnet import probe


@contextlib.contextmanager
def answering(status):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize(("status", "well"), [(200, True), (500, False)])
def test_web_is_well_where_it_answers(status, well):
    with answering(status) as port:
        assert probe.web(port=port) is well


def test_web_is_unwell_where_nobody_listens():
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    assert probe.web(port=port) is False


@pytest.mark.parametrize(
    ("answer", "well"),
    [({"celery@host": {"ok": "pong"}}, True), (None, False), (OSError("no broker"), False)],
)
def test_worker_is_well_where_it_answers_through_the_broker(monkeypatch, answer, well):
    def ping(self, *args):
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(Inspect, "ping", ping)
    assert probe.worker() is well


@pytest.mark.parametrize(("age", "well"), [(0, True), (200, True), (500, False)])
def test_beat_is_well_while_it_writes_its_file(tmp_path, age, well):
    (tmp_path / "beat-schedule.db").touch()
    os.utime(tmp_path / "beat-schedule.db", (time.time() - age,) * 2)
    assert probe.beat(tmp_path / "beat-schedule") is well


def test_beat_is_unwell_without_its_file(tmp_path):
    assert probe.beat(tmp_path / "beat-schedule") is False

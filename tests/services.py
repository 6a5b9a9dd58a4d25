"""A plugin (pytest -p): the servers that the tests need, before Django's settings are read.

Only what is not named by DATABASE_URL or REDIS_URL is started, by the first process only: xdist's workers inherit the
two variables. The servers and their data go with the run.
"""

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

_running = None


def _load_embedded():
    """By its path: importing the package kmnet would import Celery, and read the settings too early."""
    path = Path(__file__).resolve().parent.parent / "kmnet" / "embedded.py"
    spec = importlib.util.spec_from_file_location("kmnet_embedded", path)
    embedded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(embedded)
    return embedded


def _start_missing():
    global _running
    embedded = _load_embedded()
    missing = embedded.missing_services()
    if not missing:
        return
    # /tmp of root may be private to it, and Postgres runs as another user there.
    state = Path(tempfile.mkdtemp(prefix="kmnet-test-", dir="/var/tmp" if os.geteuid() == 0 else None))
    _running = embedded.Services(missing, state=state, durable=False)
    _running.__enter__()
    os.environ.update(_running.addresses())


_start_missing()


def pytest_configure(config):
    """After the packages' own plugins, so that our fixtures override theirs."""
    for name in ("tests.databases", "tests.browser_plugin"):
        config.pluginmanager.import_plugin(name)


def pytest_unconfigure(config):
    global _running
    if _running:
        _running.__exit__()
        shutil.rmtree(_running.state, ignore_errors=True)
        for name in _running.addresses():
            os.environ.pop(name, None)
        _running = None

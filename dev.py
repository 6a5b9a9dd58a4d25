#!/usr/bin/env python3
"""Set up and run everything on a machine that has only Python 3.11 or newer.

    python3 dev.py run          the site with demo data                  (make run)
    python3 dev.py test ...     the tests; arguments go to pytest        (make test)
    python3 dev.py check        style, layers, migrations, deployment    (make check)
    python3 dev.py faults ...   the slow tests: all that can fail does   (make faults)
    python3 dev.py bench ...    how fast the pages are                   (make bench)
    python3 dev.py storm ...    a thousand people want a hundred places  (make storm)
    python3 dev.py manage ...   manage.py, with the servers that it needs
    python3 dev.py lock         compile requirements/*.in anew

Where DATABASE_URL or REDIS_URL is not set, an embedded server takes its place. PORT chooses the port of the site.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements"
LOCKS = ("base", "run", "dev", "bootstrap")
OLDEST = (3, 11)


def say(text: str = "") -> None:
    print(text, flush=True)


# --- set-up: from a bare Python to .venv with the locked packages ----------------------------------------------------
def find_python() -> str:
    """An interpreter that is new enough: this one, or one on PATH."""
    if sys.version_info >= OLDEST:
        return sys.executable
    for name in ("python3.14", "python3.13", "python3.12", "python3.11"):
        found = shutil.which(name)
        if found and _succeeds([found, "--version"]):  # pyenv puts names on PATH that lead nowhere
            return found
    sys.exit(
        f"kmnet needs Python 3.11 or newer; this is {sys.version.split()[0]}, and PATH has no newer one."
    )


def _succeeds(command: list, **options) -> bool:
    with contextlib.suppress(OSError):
        return subprocess.run(command, capture_output=True, **options).returncode == 0
    return False


def installer_environment() -> dict:
    """uv neither trusts the system's certificates nor leaves Python alone unless told to."""
    return {
        **os.environ,
        "UV_SYSTEM_CERTS": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_LINK_MODE": os.environ.get("UV_LINK_MODE", "copy"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def fingerprint_of(lock: str) -> str:
    """Changes with the lock and with the interpreter of .venv."""
    parts = [REQUIREMENTS / f"{name}.txt" for name in ("bootstrap", lock)] + [VENV / "pyvenv.cfg"]
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts if part.exists())).hexdigest()


def set_up(lock: str) -> None:
    """Make .venv hold what requirements/<lock>.txt names. Costs nothing where it does already."""
    stamp = VENV / f".ready-{lock}"
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == fingerprint_of(lock):
        return
    if os.name != "posix":
        sys.exit("kmnet is developed on Linux and macOS; on Windows, use WSL2.")
    began = time.monotonic()
    say(f"Setting up .venv from requirements/{lock}.txt ...")
    uv = make_venv(working_uv())
    install(uv, lock)
    stamp.write_text(fingerprint_of(lock))
    say(f"... done in {time.monotonic() - began:.0f} s")


def working_uv() -> str | None:
    uv = shutil.which("uv")
    return uv if uv and _succeeds([uv, "--version"]) else None


def make_venv(uv: str | None) -> str:
    """Make .venv where it is missing or broken; return the path of a uv."""
    enough = f"import sys; sys.exit(sys.version_info < {OLDEST})"
    if not _succeeds([str(PYTHON), "-c", enough]):
        if VENV.is_symlink():
            sys.exit(f"{VENV} is a link to an environment that does not work: remove it.")
        shutil.rmtree(VENV, ignore_errors=True)
        uv = _make_venv_with_uv(uv) if uv else _make_venv_without_uv()
    if not uv:
        uv = str(PYTHON.with_name("uv"))
        if not _succeeds([uv, "--version"]):
            bootstrap = ["install", "-q", "--require-hashes", "-r", str(REQUIREMENTS / "bootstrap.txt")]
            subprocess.run([str(PYTHON), "-m", "pip", *bootstrap], check=True, env=installer_environment())
    return uv


def _make_venv_with_uv(uv: str) -> str:
    subprocess.run(
        [uv, "venv", "-q", "--python", find_python(), str(VENV)], check=True, env=installer_environment()
    )
    return uv


def _make_venv_without_uv() -> str | None:
    """Debian and Ubuntu leave out of python3 what `venv` needs; pip alone is enough to fetch uv."""
    plain = subprocess.run([find_python(), "-m", "venv", str(VENV)], capture_output=True, text=True)
    if plain.returncode == 0:
        return None
    shutil.rmtree(VENV, ignore_errors=True)
    folder = ROOT / ".kmnet" / "bootstrap"
    command = [find_python(), "-m", "pip", "install", "-q", "--target", str(folder), "--require-hashes"]
    command += ["-r", str(REQUIREMENTS / "bootstrap.txt")]
    fetched = subprocess.run(command, capture_output=True, text=True, env=installer_environment())
    if fetched.returncode:
        sys.exit(
            "This Python can neither make virtual environments nor run pip:\n"
            f"{plain.stdout[-300:]}{fetched.stderr[-300:]}\n"
            "On Debian or Ubuntu: apt install python3-venv. Or install uv; it is used where PATH has it."
        )
    return _make_venv_with_uv(str(folder / "bin" / "uv"))


def install(uv: str, lock: str) -> None:
    arguments = ["-q", "--require-hashes", "-r", str(REQUIREMENTS / f"{lock}.txt")]
    env = installer_environment()
    if subprocess.run([uv, "pip", "install", "--python", str(PYTHON), *arguments], env=env).returncode:
        say("uv could not; trying pip, which is slower.")
        subprocess.run([str(PYTHON), "-m", "ensurepip"], capture_output=True, env=env)
        subprocess.run([str(PYTHON), "-m", "pip", "install", *arguments], check=True, env=env)


def lock_for_running() -> str:
    """Where the development packages are, the site runs with them: installing fewer would remove none."""
    return "dev" if (VENV / ".ready-dev").exists() else "run"


def continue_inside(*arguments: str) -> None:
    """What follows needs the packages: this process becomes .venv's Python."""
    os.chdir(ROOT)
    path = f"{PYTHON.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    os.execve(str(PYTHON), [str(PYTHON), *arguments], {**os.environ, "VIRTUAL_ENV": str(VENV), "PATH": path})


def load(name: str):
    """kmnet/<name>.py by its path: importing the package kmnet would import Celery."""
    spec = importlib.util.spec_from_file_location(f"kmnet_{name}", ROOT / "kmnet" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


# --- the commands ----------------------------------------------------------------------------------------------------
def run() -> int:
    embedded, supervisor = load("embedded"), load("supervisor")
    state = embedded.open_state()
    lock = supervisor.RunLock(state / "run.lock")
    if not lock.take():
        say(lock.refusal())
        return 1
    return supervisor.Run(embedded, state, lock).run()


def manage(arguments: list[str]) -> int:
    """manage.py beside a running site, or with servers of its own for as long as it takes."""
    embedded, supervisor = load("embedded"), load("supervisor")
    state = embedded.open_state()
    lock = supervisor.RunLock(state / "run.lock")
    missing = embedded.missing_services()
    if not missing or lock.take(patience=0):
        port, servers = 8000, embedded.Services(missing, state=state)
    else:  # a site runs here: use its servers
        port = int((lock.read()["url"] or ":8000").rstrip("/").rpartition(":")[2])
        servers = contextlib.nullcontext(embedded.Services(missing, state=state))
    with servers as services:
        env = supervisor.site_environment(state, services.addresses(), port)
        return subprocess.run([sys.executable, "manage.py", *arguments], env=env).returncode


def pytest_arguments(arguments: list[str]) -> list[str]:
    """A worker more than processors, up to four, unless the caller knows better: one waits often enough, for a browser,
    a lock or another process."""
    if any(argument.startswith(("-n", "--numprocesses", "--pdb")) for argument in arguments):
        return arguments
    return ["-n", str(min(4, (os.cpu_count() or 1) + 1)), "--dist", "worksteal", *arguments]


def production_environment() -> dict:
    """As a site in earnest would have it, except that no server answers there."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ}
    return {
        **kept,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "SITE_URL": "https://kmnet.example",
        "ALLOWED_HOSTS": "kmnet.example",
        "DATABASE_URL": "postgres://kmnet@127.0.0.1:1/kmnet",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "EMAIL_URL": "smtp+tls://kmnet:secret@127.0.0.1:1",
        "STATIC_ROOT": str(VENV / "no-static"),
    }


LOCK_LINE = re.compile(
    r"""[\w.-]+(\[[\w,-]+\])?==[\w.+!-]+(\ ;\ [\w\s.'<>=!()]+)?\ \\  # a pinned package, perhaps for some systems only
    |\ \ \ \ --hash=sha256:[0-9a-f]{64}(\ \\)?""",
    re.VERBOSE,
)


def faults_of_locks(texts: dict[str, str]) -> list[str]:
    """Locks name packages and hashes; addresses and paths are the business of the machine that installs."""
    return [
        f"{name}:{number}: neither a pinned package nor a hash: {line}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if not LOCK_LINE.fullmatch(line)
    ]


def read_locks() -> dict[str, str]:
    return {f"requirements/{name}.txt": (REQUIREMENTS / f"{name}.txt").read_text() for name in LOCKS}


def check() -> int:
    """Everything is run, so that one round shows all there is to mend."""
    django = [sys.executable, "-W", "ignore", "manage.py"]
    steps = {
        "ruff": [sys.executable, "-m", "ruff", "check", "."],
        "format": [sys.executable, "-m", "ruff", "format", "--check", "--quiet", "."],
        "templates": [sys.executable, "-m", "djlint", "templates", "--lint", "--quiet"],
        "layers": [str(PYTHON.with_name("lint-imports"))],
        "migrations": [*django, "makemigrations", "--check", "--dry-run"],
        "deployment": [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
    }
    failed = []
    for name, command in steps.items():
        done = subprocess.run(
            command, env=production_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        say(f"{name:>10}: {'failed' if done.returncode else 'fine'}")
        if done.returncode:
            failed.append(name)
            say(done.stdout.decode(errors="replace"))
    faults = faults_of_locks(read_locks())
    say(f"{'locks':>10}: {'failed' if faults else 'fine'}")
    for fault in faults:
        say(fault)
    return 1 if failed or faults else 0


def measure(module: str, arguments: list[str]) -> int:
    """tests.bench or tests.storm: on servers of its own, as durable as those of a site, and gone afterwards, unless a
    folder is given to keep them."""
    embedded, supervisor = load("embedded"), load("supervisor")
    place = "/var/tmp" if os.geteuid() == 0 else None
    temporary = tempfile.TemporaryDirectory(prefix="kmnet-measure-", dir=place, ignore_cleanup_errors=True)
    if "--keep" in arguments[:-1]:
        kept = Path(arguments[arguments.index("--keep") + 1]).resolve()
        kept.mkdir(parents=True, exist_ok=True)
        temporary = contextlib.nullcontext(kept)
    with temporary as folder:
        state = Path(folder)
        with embedded.Services(embedded.missing_services(), state=state) as services:
            command = [sys.executable, "-m", module, *arguments]
            env = supervisor.site_environment(state, services.addresses(), 8000)
            return subprocess.run(command, env=env).returncode


def compile_locks() -> int:
    options = (
        "-q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url"
    )
    for name in LOCKS:
        files = [f"requirements/{name}.in", "-o", f"requirements/{name}.txt"]
        command = [make_venv(working_uv()), "pip", "compile", *options.split(), *files]
        subprocess.run(command, check=True, env=installer_environment(), cwd=ROOT)
    faults = faults_of_locks(read_locks())
    say("\n".join(faults) or "The locks are compiled.")
    return 1 if faults else 0


def main(arguments: list[str]) -> int:
    command, rest = (arguments or ["help"])[0], arguments[1:]
    inside = {"_run": run, "_check": check, "_manage": lambda: manage(rest)}
    inside |= {f"_{name}": partial(measure, f"tests.{name}", rest) for name in ("bench", "storm")}
    if command in inside:
        return inside[command]()
    if command == "lock":
        return compile_locks()
    if command not in ("run", "test", "check", "faults", "bench", "storm", "manage"):
        say(__doc__)
        return 2
    set_up(lock_for_running() if command in ("run", "manage") else "dev")
    if command == "test":
        continue_inside("-m", "pytest", *pytest_arguments(rest))
    if command == "faults":
        continue_inside("-m", "pytest", "-m", "fault", "--timeout", "900", *rest)
    continue_inside("dev.py", f"_{command}", *rest)
    return 1  # never reached: this process has become another


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

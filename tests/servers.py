"""Real `headgate serve` processes for tests, as an operator starts them, and a plain HTTP client.

`acceptance/` and `compat/` import these fixtures. `server_with(…)` starts a server of the test's
own, `shared_with(…)` one that a module's tests share; `gateway` is one that all tests of a worker
share, in front of the scripted `upstream`.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from headgate.storage import Database
from headgate.storage.schema import calls
from upstreams import Upstream, upstream_running

HEADGATE = str(Path(sys.executable).with_name("headgate"))
"""The command as it is installed."""

ADMIN_KEY = "hg_admin-of-the-tests-0123456789abcdef"

PROVIDER_KEY = "sk-provider-4f1c9a7e2b8d4660a1f3-never-to-be-seen"
"""The provider's key; no server may ever show it."""

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 20.0

_LISTENS = re.compile(r"^Headgate listens on (http://\S+)", re.MULTILINE)


def events_of(body: bytes) -> list[dict[str, Any]]:
    """What the events of a stream say, without the `[DONE]` of chats."""
    lines = body.decode().split("\n")
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


class Reply(NamedTuple):
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    @property
    def events(self) -> list[dict[str, Any]]:
        """Those of an answer that was streamed."""
        return events_of(self.body)

    @property
    def call_id(self) -> str:
        """The id of the call that it answers."""
        return self.headers["x-headgate-call-id"]

    @property
    def error(self) -> dict[str, Any]:
        """The error of an answer in OpenAI's error shape, which it must have in full."""
        shown = self.json()["error"]
        assert set(shown) == {"message", "type", "param", "code"}
        assert shown["message"]
        return dict(shown)


class OpenStream:
    """A reply that is still on its way."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        self._response = connection.getresponse()
        self.status = self._response.status
        self.headers = {name.lower(): value for name, value in self._response.getheaders()}
        self.seen = b""

    def read_until(self, mark: bytes) -> None:
        """Read on until `mark` has come by."""
        while mark not in self.seen:
            data = self._response.read1(65536)
            assert data, f"the stream ended without {mark!r}: {self.seen!r}"
            self.seen += data

    def rest(self) -> bytes:
        """Everything, once it has ended; raises `http.client.IncompleteRead` where it is cut."""
        while data := self._response.read1(65536):
            self.seen += data
        self._connection.close()
        return self.seen

    def leave(self) -> None:
        """Close the connection in the middle."""
        self._response.close()
        self._connection.close()


class RunningServer:
    """A server that was started and has said where it listens."""

    def __init__(
        self, process: subprocess.Popen[bytes], folder: Path, database_url: str, started_in_s: float
    ) -> None:
        self.process = process
        self.folder = folder
        self._opened: list[http.client.HTTPConnection] = []
        """What `begin` has opened: a test that fails in the middle does not close it."""
        self.database_url = database_url
        self.started_in_s = started_in_s
        found = _LISTENS.search(self.stdout())
        assert found is not None
        self.address = found[1]
        """Such as `http://127.0.0.1:41234`."""
        self.base_url = f"{self.address}/v1"
        parts = urlsplit(self.address)
        assert parts.hostname is not None
        assert parts.port is not None
        self.host, self.port = parts.hostname, parts.port

    def stdout(self) -> str:
        """What it has printed."""
        return (self.folder / "stdout.txt").read_text()

    def stderr(self) -> str:
        """What it has logged."""
        return (self.folder / "stderr.txt").read_text()

    def log(self) -> list[dict[str, Any]]:
        """Its log lines; each must be JSON."""
        # The last line may be half written.
        return [json.loads(line) for line in self.stderr().split("\n")[:-1]]

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = ADMIN_KEY,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 20.0,
    ) -> Reply:
        """One request on a connection of its own; `body` is bytes, or what becomes JSON."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)
        try:
            sent = {"authorization": f"Bearer {key}"} if key is not None else {}
            data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            if data is not None:
                sent["content-type"] = "application/json"
            connection.request(method, path, data, sent | dict(headers or {}))
            response = connection.getresponse()
            content = response.read()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, found, content)
        finally:
            connection.close()

    def get(self, path: str, **options: Any) -> Reply:
        """GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any, **options: Any) -> Reply:
        """POST."""
        return self.request("POST", path, body, **options)

    def chat(
        self,
        model: str,
        *,
        text: str = "Hello",
        key: str | None = ADMIN_KEY,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 20.0,
        **fields: Any,
    ) -> Reply:
        """A chat completion that asks `text`; `fields` are further ones of its request."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
        return self.post(
            "/v1/chat/completions", body, key=key, headers=headers, timeout_s=timeout_s
        )

    def begin(
        self, path: str, body: Any, *, key: str = ADMIN_KEY, timeout_s: float = 20.0
    ) -> OpenStream:
        """POST, and come back with the reply as soon as it has begun."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)
        self._opened.append(connection)
        connection.request(
            "POST", path, json.dumps(body).encode(), {"authorization": f"Bearer {key}"}
        )
        return OpenStream(connection)

    def connect(self, timeout_s: float = 20.0) -> socket.socket:
        """A bare connection, for what no client library would send."""
        return socket.create_connection((self.host, self.port), timeout=timeout_s)

    def new_key(self, **fields: Any) -> str:
        """A key made over HTTP."""
        return str(self.new_key_object(**fields)["key"])

    def new_key_object(self, **fields: Any) -> dict[str, Any]:
        """A key made over HTTP, with all that is told of it."""
        made = self.post("/api/keys", {"name": "a test's", **fields})
        assert made.status == 201, made.body
        return dict(made.json())

    def records(self, **wanted: Any) -> list[dict[str, Any]]:
        """The ledger's records whose columns have these values, oldest first."""
        statement = sa.select(calls).order_by(calls.c.id)
        for name, value in wanted.items():
            statement = statement.where(calls.c[name] == value)
        database = Database(self.database_url)
        try:
            with database.connect() as connection:
                return [dict(row) for row in connection.execute(statement).mappings()]
        finally:
            database.close()

    def record(self, *, timeout_s: float = 3.0, **wanted: Any) -> dict[str, Any]:
        """The one record whose columns have these values, once it is written."""
        found = until(lambda: self.records(**wanted), timeout_s)
        assert len(found) == 1, f"{len(found)} records for {wanted}"
        return found[0]

    def call(self, answer: Reply) -> dict[str, Any]:
        """The call of an answer, as `/api/calls/{id}` shows it once its record is written."""
        path = f"/api/calls/{answer.call_id}"
        found = until(lambda: (got := self.get(path)).status == 200 and got.json(), 5.0)
        assert found, f"{path} is not there"
        return dict(found)

    def stop(self) -> int:
        """Stop it as an operator does; return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """Its exit code, once it has ended by itself."""
        return self.process.wait(timeout_s)

    def kill(self) -> None:
        """`kill -9` the server with all its processes."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_TIMEOUT_S)

    def close_connections(self) -> None:
        """Close what a test may have left open."""
        for connection in self._opened:
            connection.close()

    def workers(self) -> list[int]:
        """The ids of the processes that serve, where there are several."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found = []
        for pid in map(int, children.read_text().split()):
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"spawn_main" in command:
                found.append(pid)
        return found


class StartServer(Protocol):
    """What `server_with` gives."""

    def __call__(
        self,
        *,
        folder: Path | None = None,
        settings: str | None = None,
        env: Mapping[str, str] | None = None,
        upstream: Upstream | str | None = None,
        workers: int = 1,
        database_url: str | None = None,
        admin_key: str | None = ADMIN_KEY,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> RunningServer:
        """A server; `settings` is the text of its headgate.yaml, no `upstream` the simulator."""


def until(look: Callable[[], Any], timeout_s: float, every_s: float = 0.02) -> Any:
    """What `look` gives once that is true; the last it gave when the time is up."""
    deadline = time.monotonic() + timeout_s
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(every_s)
    return found


def environment(folder: Path, **more: str) -> dict[str, str]:
    """A process's environment, with nothing of ours that could lead it astray."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONWARNINGS": "error::ResourceWarning",
        # Another worktree's code than the one that is installed, where that is tested.
        **{name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ},
        **more,
    }


def start_server(
    folder: Path,
    *,
    settings: str | None = None,
    env: Mapping[str, str] | None = None,
    upstream: Upstream | str | None = None,
    workers: int = 1,
    database_url: str | None = None,
    admin_key: str | None = ADMIN_KEY,
    host: str = "127.0.0.1",
    port: int = 0,
) -> RunningServer:
    """Start `headgate serve` in `folder` and wait until it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    if settings is not None:
        (folder / "headgate.yaml").write_text(settings)
    variables = environment(folder)
    if upstream is not None:
        base_url = upstream if isinstance(upstream, str) else upstream.base_url
        variables |= {"OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": PROVIDER_KEY}
    if database_url is not None:
        variables["HEADGATE_DATABASE_URL"] = database_url
    if admin_key is not None:
        variables["HEADGATE_ADMIN_KEY"] = admin_key
    variables |= env or {}
    began_s = time.monotonic()
    with (
        (folder / "stdout.txt").open("wb") as stdout,
        (folder / "stderr.txt").open("wb") as stderr,
    ):
        process = subprocess.Popen(
            [HEADGATE, "serve", "--host", host, "--port", str(port), "--workers", str(workers)],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )

    def said() -> bool:
        return process.poll() is not None or bool(
            _LISTENS.search((folder / "stdout.txt").read_text())
        )

    try:
        until(said, START_TIMEOUT_S)
        if process.poll() is not None:
            raise AssertionError(
                f"the server ended with {process.returncode}:\n"
                + (folder / "stderr.txt").read_text()
            )
        server = RunningServer(
            process,
            folder,
            variables.get("HEADGATE_DATABASE_URL") or f"sqlite:///{folder}/data/headgate.db",
            0.0,
        )
        assert until(lambda: _is_healthy(server), START_TIMEOUT_S), server.stderr()
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    server.started_in_s = time.monotonic() - began_s
    return server


def headgate(
    *arguments: str, folder: Path, timeout_s: float = 30.0, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [HEADGATE, *arguments],
        cwd=folder,
        env=environment(folder, **env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def _is_healthy(server: RunningServer) -> bool:
    try:
        return server.get("/healthz", key=None, timeout_s=5).status == 200
    except OSError:
        return False


def end_server(server: RunningServer) -> None:
    """Stop a server and hold it to what every server must keep to."""
    try:
        server.stop()
    finally:
        if server.process.poll() is None:
            server.kill()
        server.close_connections()
    for text in (server.stdout(), server.stderr()):
        assert PROVIDER_KEY not in text, "the provider's key was shown"
        assert "Traceback" not in text, text


def _end_all(servers: Iterable[RunningServer]) -> None:
    """End every one, whatever becomes of the others; raises the first failure."""
    failures = []
    for server in servers:
        try:
            end_server(server)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            failures.append(error)
    if failures:
        raise failures[0]


@pytest.fixture
def server_with(
    tmp_path: Path,
    outliving: ExitStack,
) -> Iterator[StartServer]:
    """Starts servers of the test's own; they are stopped after it."""
    del outliving  # Asked for, so that a server's database is still there when it stops.
    started: list[RunningServer] = []

    def start(*, folder: Path | None = None, **options: Any) -> RunningServer:
        server = start_server(folder or tmp_path / f"server-{len(started)}", **options)
        started.append(server)
        return server

    yield start
    _end_all(started)


@pytest.fixture(scope="module")
def shared_with(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Servers that a module's tests share: who asks for the same as another gets the same one.

    So leave in it nothing that another test would trip over.
    """
    started: dict[str, RunningServer] = {}

    def start(*, folder: Path | None = None, **options: Any) -> RunningServer:
        asked = repr((folder, sorted(options.items())))
        if asked not in started:
            place = folder or tmp_path_factory.mktemp("shared") / "server"
            started[asked] = start_server(place, **options)
        return started[asked]

    yield start
    _end_all(started.values())


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    """A provider under the tests' control; give each test a model name of its own."""
    with upstream_running() as running:
        yield running


@pytest.fixture(scope="session")
def gateway(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server with nothing but defaults, in front of `upstream`; shared, so change nothing."""
    server = start_server(tmp_path_factory.mktemp("gateway") / "server", upstream=upstream)
    yield server
    end_server(server)


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with nothing configured, which its simulator answers; shared, so change nothing."""
    server = start_server(tmp_path_factory.mktemp("simulated") / "server")
    yield server
    end_server(server)


@pytest.fixture
def model(request: pytest.FixtureRequest) -> str:
    """A model name that no other test uses."""
    return re.sub(r"[^a-z0-9]+", "-", request.node.nodeid.lower())[-120:].strip("-")

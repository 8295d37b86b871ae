"""A server that runs, and a plain HTTP client of it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from forks import Process
from headgate.storage import Database
from headgate.storage.schema import calls
from servers.patience import until
from servers.replies import OpenStream, Reply

ADMIN_KEY = "hg_admin-of-the-tests-0123456789abcdef"

STOP_TIMEOUT_S = 20.0

LISTENS = re.compile(r"^Headgate listens on (http://\S+)", re.MULTILINE)
"""How a server says that it does."""


class RunningServer:
    """A server that was started and has said where it listens."""

    def __init__(
        self, process: Process, folder: Path, database_url: str, started_in_s: float
    ) -> None:
        self.process = process
        self.folder = folder
        self._opened: list[http.client.HTTPConnection] = []
        """What `begin` has opened: a test that fails in the middle does not close it."""
        self.database_url = database_url
        self.started_in_s = started_in_s
        found = LISTENS.search(self.stdout())
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

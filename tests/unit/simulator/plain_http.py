"""Plain HTTP for tests that look beneath the SDK: one request, one connection, no retries."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

KEY = {"authorization": "Bearer k"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    url: str,
    body: Any = None,
    *,
    method: str | None = None,
    headers: dict[str, str] | None = None,
    timeout_s: float = 10,
) -> Answer:
    """The answer to one request; `body` is bytes or something to write as JSON."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(
            method or ("GET" if data is None else "POST"),
            target,
            data,
            KEY if headers is None else headers,
        )
        reply = connection.getresponse()
        found = {name.lower(): value for name, value in reply.getheaders()}
        return Answer(reply.status, found, reply.read())
    finally:
        connection.close()

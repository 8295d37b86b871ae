"""What a server answers: a reply read to its end, or one that is still on its way."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any, NamedTuple


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


def events_of(body: bytes) -> list[dict[str, Any]]:
    """What the events of a stream say, without the `[DONE]` of chats."""
    lines = body.decode().split("\n")
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]

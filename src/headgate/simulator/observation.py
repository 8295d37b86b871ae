"""What the simulator was asked, for tests that want to know what reached it."""

from __future__ import annotations

from collections import deque
from typing import Literal

import msgspec

from headgate.simulator.wire.request import Request

MAX_OBSERVED = 1_000
"""How many requests are remembered; beyond it the oldest is forgotten."""

MAX_BODY_BYTES = 65_536
"""How much of a request's body is remembered."""

Ending = Literal["in_progress", "completed", "broken", "client_gone"]
"""How a request ended. `broken`: by a fault. `client_gone`: the client left before the end."""


class ObservedRequest(msgspec.Struct):
    """One request and what became of it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    """At most `MAX_BODY_BYTES` of it."""
    status: int = 0
    """0 until it is answered, and where it never was."""
    ending: Ending = "in_progress"


class Observations:
    """The requests of late, oldest first."""

    def __init__(self) -> None:
        self._requests: deque[ObservedRequest] = deque(maxlen=MAX_OBSERVED)

    def begin(self, request: Request) -> ObservedRequest:
        """Note that `request` has arrived."""
        observed = ObservedRequest(
            request.method, request.path, request.headers, request.body[:MAX_BODY_BYTES]
        )
        self._requests.append(observed)
        return observed

    def all(self) -> list[ObservedRequest]:
        """The requests noted so far, health checks left out."""
        return list(self._requests)

    def clear(self) -> None:
        """Forget them."""
        self._requests.clear()

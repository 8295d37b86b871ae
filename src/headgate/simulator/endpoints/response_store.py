"""The responses that were stored, for GET, DELETE, cancel and `previous_response_id`."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import msgspec

from headgate.simulator.conversation import Turn

MAX_RESPONSES = 2_000
"""How many responses are kept; beyond it the oldest is forgotten."""


class StoredResponse(msgspec.Struct):
    """One response and what led to it."""

    body: dict[str, Any]
    """As it was answered, complete."""
    input_items: list[dict[str, Any]]
    turns: tuple[Turn, ...]
    """The conversation up to and with this response, its instructions left out."""
    background: bool
    ready_at_s: float
    """When a background response is complete, on the monotonic clock."""

    def status_at(self, now_s: float) -> str:
        """Its status at `now_s`."""
        if self.background and now_s < self.ready_at_s and self.body["status"] != "cancelled":
            return "in_progress"
        return str(self.body["status"])


class ResponseStore:
    """The responses of this process, by id."""

    def __init__(self, max_responses: int = MAX_RESPONSES) -> None:
        self._max_responses = max_responses
        self._responses: OrderedDict[str, StoredResponse] = OrderedDict()

    def add(self, response: StoredResponse) -> None:
        """Keep `response`."""
        self._responses[response.body["id"]] = response
        if len(self._responses) > self._max_responses:
            self._responses.popitem(last=False)

    def get(self, response_id: str) -> StoredResponse | None:
        """The response of this id, or None."""
        return self._responses.get(response_id)

    def remove(self, response_id: str) -> bool:
        """Forget the response of this id; whether there was one."""
        return self._responses.pop(response_id, None) is not None

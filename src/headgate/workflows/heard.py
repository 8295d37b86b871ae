"""What a run heard from a model, as far as it is kept: it survives the process that asked."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from headgate.errors import HeadgateError
from headgate.workflows.model import ModelReply
from headgate.workflows.steps import CallFacts


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """A call that has come to its end, well or not."""

    status: int
    body: bytes
    """A chat completion, or an error in OpenAI's shape."""
    call: CallFacts | None = None
    """None where Headgate refused it before it was a call."""
    started_at_us: int
    duration_us: int

    @classmethod
    def of(cls, reply: ModelReply, *, started_at_us: int, duration_us: int) -> Heard:
        """What `reply` says."""
        return cls(
            status=reply.status,
            body=reply.body,
            call=CallFacts.of(reply),
            started_at_us=started_at_us,
            duration_us=duration_us,
        )

    @classmethod
    def refusal(cls, error: HeadgateError, *, started_at_us: int, duration_us: int) -> Heard:
        """What is heard where Headgate itself refuses."""
        return cls(
            status=error.status,
            body=msgspec.json.encode({"error": error.as_object()}),
            started_at_us=started_at_us,
            duration_us=duration_us,
        )

    def reply(self, disown: Callable[[], None] | None) -> ModelReply:
        """The reply again."""
        call_id = "" if self.call is None else self.call.id
        return ModelReply(call_id=call_id, status=self.status, body=self.body, disown=disown)

"""Calls that Headgate makes for another one, and their client; it asks for whole replies only."""

from __future__ import annotations

from headgate.gateway.call import Call, Headers, LastWords, Refusal
from headgate.telemetry.traces.lineage import under


def inner_call(outer: Call, endpoint: str, model: str) -> Call:
    """A call of `model` made for `outer`, whose guards have seen its texts, and whose run it is of.

    Its caller pays for it, and its span lies under that of `outer`.
    """
    inner = Call(
        outer.caller,
        endpoint,
        trace_id=outer.record.trace_id,
        parent=under(outer.record.id, outer.record.parent),
    )
    inner.from_run = inner.inner = True
    record, its = inner.record, outer.record
    record.model_requested = model
    record.workflow, record.run_id = its.workflow, its.run_id
    record.feature, record.user_hash = its.feature, its.user_hash
    return inner


class InnerClient:
    """Waits for one whole answer."""

    __slots__ = ("body", "gone")

    def __init__(self) -> None:
        self.body = b""
        """Empty where the call was refused."""
        self.gone = False

    async def begin(self, status: int, headers: Headers) -> None:
        """Never happens: nothing was asked to be streamed."""
        raise NotImplementedError

    async def write(self, data: bytes) -> None:
        """Never happens, as `begin`."""
        raise NotImplementedError

    async def finish(self, last: LastWords | Refusal) -> None:
        """Keep the answer."""
        if isinstance(last, LastWords):
            self.body = last.body

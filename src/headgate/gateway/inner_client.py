"""The client of a call that the gateway makes for itself; it asks for whole replies only."""

from __future__ import annotations

from headgate.gateway.call import Headers, LastWords, Refusal


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

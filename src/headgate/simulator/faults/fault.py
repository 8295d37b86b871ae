"""The kinds of faults, and when each strikes."""

from __future__ import annotations

from typing import Literal

import msgspec

AnswerTwist = Literal["refusal", "wrong-schema", "content-filter", "length"]
"""How an answer differs from the one asked for.

`refusal`: the model declines. `wrong-schema`: JSON that breaks its schema. `content-filter` and
`length`: the answer is cut and says why.
"""

Break = Literal["stall", "cut", "reset", "malformed-json", "stream-error"]
"""How a reply goes wrong on its way.

`stall`: nothing more comes. `cut`: the connection is closed in the middle. `reset`: it is reset, as
by a crash. `malformed-json`: a document or an event that is no JSON. `stream-error`: an error event
in the middle of a stream.
"""


class ErrorFault(msgspec.Struct, frozen=True, kw_only=True):
    """The request is answered with an error."""

    status: int
    message: str
    kind: str
    code: str | None = None
    param: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    html: bool = False
    """Whether the body is a proxy's page instead of JSON."""


class DelayFault(msgspec.Struct, frozen=True):
    """The reply's first byte comes late."""

    seconds: float


class AnswerFault(msgspec.Struct, frozen=True):
    """The reply is whole, but not what was asked for."""

    twist: AnswerTwist


class BreakFault(msgspec.Struct, frozen=True):
    """The reply goes wrong on its way."""

    how: Break
    after: int
    """How many events of a stream come before it; a document is broken in its middle."""
    seconds: float
    """How long a stall lasts, before the connection is closed."""


Fault = ErrorFault | DelayFault | AnswerFault | BreakFault


class When(msgspec.Struct, frozen=True):
    """Which requests a fault strikes."""

    rule: Literal["always", "first", "once", "every", "rate"] = "always"
    """`first`: the first `number` requests with the same body. `once`: the first `number` requests
    of all. `every`: each `number`-th request.
    `rate`: a share `number` of the requests, the same ones in each run."""
    number: float = 1


class PlannedFault(msgspec.Struct, frozen=True):
    """A fault and when it strikes."""

    written: str
    """As the user wrote it."""
    fault: Fault
    when: When

"""The OpenAI endpoints that the hot path serves, for the reference and the role tests."""

from __future__ import annotations

from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.objects.operations import OPERATIONS
from headgate.intake.http.endpoint import Endpoint, HeaderParameter

_HEADERS = (
    HeaderParameter("x-headgate-feature", "What the cost is for; a name of your own."),
    HeaderParameter("x-headgate-user", "The end user; kept only as a keyed hash."),
    HeaderParameter("x-headgate-complexity", "A hint for tiered routes: low, medium or high."),
    HeaderParameter("x-headgate-hedge", "`safe`: the call may be made twice where it is slow."),
    HeaderParameter("prefer", "`wait=N`: the whole answer must be there within N seconds."),
    HeaderParameter(
        "x-headgate-priority",
        "`interactive`, `normal` (the default) or `bulk`: who goes first where calls wait in line.",
    ),
    HeaderParameter(
        "x-headgate-cache", "`no-store`: don't answer from the cache, and don't keep the answer."
    ),
    HeaderParameter("x-headgate-cache-tag", "Names to clear the answer by, with commas between."),
)


def openai_endpoints() -> tuple[Endpoint, ...]:
    """One for each call to a model and each operation on objects; none has a handler here."""
    calls = tuple(
        Endpoint(
            method="POST",
            path=f"/v1/{name}",
            permission="models.call",
            summary=f"OpenAI's own {name} endpoint, field for field",
            tag="openai",
            request=dict,
            request_headers=_HEADERS,
        )
        for name in ENDPOINTS
    )
    objects = tuple(
        Endpoint(
            method=operation.method,
            path=f"/v1{operation.listed_as or operation.path}",
            permission="models.call",
            summary=operation.summary,
            tag="openai",
            request=dict if operation.method == "POST" else None,
            request_headers=_HEADERS[:1],
        )
        for operation in OPERATIONS
        if operation.method in ("GET", "POST", "DELETE")
    )
    return (*calls, *objects)

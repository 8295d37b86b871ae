"""The OpenAI endpoints that the hot path serves, for the reference and the role tests."""

from __future__ import annotations

from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.objects.operations import OPERATIONS
from headgate.intake.http.endpoint import Endpoint, HeaderParameter

_HEADERS = (
    HeaderParameter("x-headgate-feature", "What the cost is for; a name of your own."),
    HeaderParameter("x-headgate-user", "The end user; kept only as a keyed hash."),
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
            path=f"/v1{operation.path}",
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

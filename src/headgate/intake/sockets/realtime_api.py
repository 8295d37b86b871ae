"""`/v1/realtime` over HTTP: secrets that open sessions, and that a session needs a websocket."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from headgate.errors import UpgradeRequiredError
from headgate.gateway.request_headers import feature_from, trust_from
from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint
from headgate.intake.http.header_lines import joined
from headgate.intake.sockets.client_secrets import ClientSecrets, NewClientSecret

_MAX_USER_CHARACTERS = 512


def realtime_endpoints(
    secrets: ClientSecrets, hash_user: Callable[[str], str]
) -> tuple[Endpoint, ...]:
    """The endpoints."""

    async def make(request: ApiRequest) -> ApiReply:
        feature = request.headers.get("x-headgate-feature")
        user = request.headers.get("x-headgate-user")
        made = secrets.made(
            request.caller,
            request.json(NewClientSecret) if request.body.strip() else NewClientSecret(),
            feature=None if feature is None else feature_from(feature.encode("latin-1")),
            trust=trust_from(joined(request.headers, "x-headgate-trust") or b"trusted"),
            user_hash=hash_user(user[:_MAX_USER_CHARACTERS]) if user else None,
        )
        return ApiReply(body=msgspec.json.encode(made))

    async def upgrade(_: ApiRequest) -> ApiReply:
        raise UpgradeRequiredError

    return (
        Endpoint(
            method="GET",
            path="/v1/realtime",
            permission="models.call",
            summary="Open a realtime session, over a websocket",
            tag="openai",
            handler=upgrade,
        ),
        Endpoint(
            method="POST",
            path="/v1/realtime/client_secrets",
            permission="models.call",
            summary="Make a secret with which a browser opens a realtime session here",
            tag="openai",
            handler=make,
            request=dict,
        ),
    )

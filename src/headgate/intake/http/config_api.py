"""`/api/config` and `/openapi.json`: what this server is set to do, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import msgspec

from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint
from headgate.intake.http.openapi import openapi_document


class ConfigApi:
    """Handlers over the policy and the list of endpoints that are handed in."""

    def __init__(
        self, effective_config: Callable[[], Any], endpoints: Callable[[], Iterable[Endpoint]]
    ) -> None:
        self._effective_config = effective_config
        # Made when first asked for: most processes never are.
        self._document = cache(lambda: msgspec.json.encode(openapi_document(endpoints())))

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What this API serves."""
        return (
            Endpoint(
                method="GET", path="/api/config", permission="config.read", tag="config",
                summary="The effective policy, secrets masked", handler=self.config,
            ),
            Endpoint(
                method="GET", path="/openapi.json", permission=None, tag="config",
                summary="This document", handler=self.document,
            ),
        )  # fmt: skip

    async def config(self, _request: ApiRequest) -> ApiReply:
        """`GET /api/config`."""
        return ApiReply(body=self._effective_config())

    async def document(self, _request: ApiRequest) -> ApiReply:
        """`GET /openapi.json`."""
        return ApiReply(body=self._document())

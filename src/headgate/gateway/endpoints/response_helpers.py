"""`/v1/responses/compact` and `/v1/responses/input_tokens`: beside a response, never streamed."""

from __future__ import annotations

from msgspec.structs import replace

from headgate.gateway.endpoints.endpoint import Endpoint, Usage
from headgate.gateway.endpoints.responses import Responses


class Compaction(Endpoint):
    """A long conversation made short by a model."""

    name = "responses/compact"
    generates = True

    def usage(self, body: bytes) -> Usage:
        """See `Endpoint`; what it answers is not kept under its identifier."""
        return replace(Responses().usage(body), response_id=None, item_ids=())


class InputTokens(Endpoint):
    """How many tokens a response's input would have; no provider asks money for it."""

    name = "responses/input_tokens"
    model_optional = True
    free_models = ("*",)
    reads_kept = True

    def usage(self, body: bytes) -> Usage:  # noqa: ARG002 - counted, not used
        """See `Endpoint`."""
        return Usage()

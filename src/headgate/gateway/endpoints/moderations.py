"""`/v1/moderations`: a text or picture in, scores out; no usage is told, and OpenAI's are free."""

from __future__ import annotations

import msgspec

from headgate.gateway.endpoints.endpoint import Endpoint, Usage


class _Reply(msgspec.Struct):
    model: str | None = None


_reply = msgspec.json.Decoder(_Reply)


class Moderations(Endpoint):
    """Moderations."""

    name = "moderations"
    default_model = "omni-moderation-latest"
    free_models = ("omni-moderation-*", "text-moderation-*")

    def usage(self, body: bytes) -> Usage:
        """See `Endpoint`."""
        try:
            return Usage(model=_reply.decode(body).model)
        except msgspec.ValidationError:
            return Usage()

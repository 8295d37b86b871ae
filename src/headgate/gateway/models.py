"""Which models there are: what the providers list, and the routes of the configuration."""

from __future__ import annotations

import asyncio
import time

from headgate.errors import HeadgateError, ModelNotFoundError
from headgate.gateway.caller import Caller
from headgate.gateway.dialects import Model
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.provider import Provider
from headgate.gateway.routing import WORKFLOW_PREFIX, Routing
from headgate.gateway.upstream import Timeouts, UpstreamError

_FRESH_S = 60.0
"""How long a provider's list is used before it is asked for again."""

_RETRY_S = 5.0
"""How long a provider that did not answer is left alone."""

_MAX_LIST_BYTES = 4 * 1024 * 1024

_PATIENCE = Timeouts(connect_s=3, first_byte_s=5, idle_s=5, total_s=8)


class _Known:
    """What a provider said last."""

    __slots__ = ("asked_at_s", "lock", "models", "usable")

    def __init__(self) -> None:
        self.models: list[Model] = []
        self.usable = False
        self.asked_at_s: float | None = None
        self.lock = asyncio.Lock()

    def is_fresh(self, now_s: float) -> bool:
        if self.asked_at_s is None:
            return False
        return now_s - self.asked_at_s < (_FRESH_S if self.usable else _RETRY_S)


class ModelList:
    """The models that callers may ask for, and whether their providers answer."""

    def __init__(self, routing: Routing) -> None:
        self._routing = routing
        self._known = {name: _Known() for name in routing.providers}
        self._started_s = int(time.time())

    async def all_for(self, caller: Caller, workflows: tuple[str, ...] = ()) -> list[Model]:
        """The routes, `workflows` and providers' models that `caller` may use."""
        await asyncio.gather(*(self._ask(p) for p in self._routing.providers.values()))
        found = {name: self._own(name) for name in self._routing.routes}
        for name in workflows:
            found[f"{WORKFLOW_PREFIX}{name}"] = self._own(f"{WORKFLOW_PREFIX}{name}")
        for name, provider in self._routing.providers.items():
            for model in self._known[name].models:
                identifier = str(model.get("id", ""))
                if identifier and provider.serves(identifier):
                    found.setdefault(identifier, model)
        return [
            model
            for name, model in found.items()
            if name.startswith(WORKFLOW_PREFIX) or caller.may_use_model(name)
        ]

    async def one_for(self, caller: Caller, name: str, workflows: tuple[str, ...] = ()) -> Model:
        """The model object of `name`; `ModelNotFoundError` where `caller` has no such model."""
        for model in await self.all_for(caller, workflows):
            if model["id"] == name:
                return model
        raise ModelNotFoundError(
            f"The model `{name[:64]}` does not exist or this key may not use it; GET /v1/models"
            " lists those that it may.",
            param="model",
        )

    async def any_usable(self) -> bool:
        """Whether at least one provider answers and accepts Headgate's key."""
        await asyncio.gather(*(self._ask(p) for p in self._routing.providers.values()))
        return any(known.usable for known in self._known.values())

    def _own(self, name: str) -> Model:
        return {"id": name, "object": "model", "created": self._started_s, "owned_by": "headgate"}

    async def _ask(self, provider: Provider) -> None:
        known = self._known[provider.name]
        async with known.lock:
            if known.is_fresh(time.monotonic()):
                return
            try:
                key = await provider.let_in(provider.key)
                reply, body = await provider.listing(key, _PATIENCE, _MAX_LIST_BYTES)
                # A server without a list of models may still serve them.
                known.usable = reply.status < 500 and reply.status not in (401, 403)
                if reply.status == 200:
                    known.models = provider.dialect.models(body)
            except (UpstreamError, HeadgateError):
                known.usable = False
            except UNREADABLE:
                known.models = []
            known.asked_at_s = time.monotonic()

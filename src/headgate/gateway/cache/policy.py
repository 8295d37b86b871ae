"""Which calls may be answered from the cache, and on what terms. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from headgate.config.caching import CacheSettings, RouteCacheSettings, WorkflowCacheSettings
from headgate.gateway.endpoints import Fields
from headgate.gateway.endpoints.endpoint import UNREADABLE

KNOWN = frozenset({"chat/completions", "responses", "embeddings", "moderations"})
"""Endpoints whose answers the cache can tell complete from incomplete; no others are kept,
whatever is declared."""

ALWAYS_THE_SAME = frozenset({"embeddings", "moderations"})
"""Endpoints whose answers follow from the request alone."""

STATE_ELSEWHERE: Mapping[str, str] = {
    "previous_response_id": "goes on from what the provider keeps",
    "conversation": "adds to what the provider keeps",
    "prompt": "names a text that the provider keeps and may change",
    "web_search_options": "depends on what the web says now",
}
"""Fields of requests that are never answered from the cache, and why."""

PLAIN_TOOLS = frozenset({"function", "custom"})
"""Tools that the model only asks for. All others are run by the provider, as part of the call."""


class Terms(msgspec.Struct, frozen=True):
    """On what terms a call's answer is kept."""

    ttl_s: float
    stale_if_error_s: float = 0.0
    tags: tuple[str, ...] = ()


class _Tool(msgspec.Struct):
    type: str = ""


_tools = msgspec.json.Decoder(list[_Tool])
_number = msgspec.json.Decoder(float)


class CachePolicy:
    """What the configuration, its routes and the workflows say of caching."""

    def __init__(
        self,
        settings: CacheSettings,
        routes: Mapping[str, RouteCacheSettings],
        workflows: Mapping[str, WorkflowCacheSettings],
    ) -> None:
        self._settings = settings
        self._routes = {name: (rule.calls, self._terms(rule)) for name, rule in routes.items()}
        self._workflows = {name: self._terms(said) for name, said in workflows.items()}
        self._default = Terms(settings.ttl_s)

    def _terms(self, said: RouteCacheSettings | WorkflowCacheSettings) -> Terms:
        return Terms(said.ttl_s or self._settings.ttl_s, said.stale_if_error_s, said.tags)

    def terms(
        self, *, endpoint: str, fields: Fields, route: str | None, workflow: str | None
    ) -> Terms | None:
        """The terms for one call; None where it is not answered from the cache."""
        if self._settings.when == "never" or endpoint not in KNOWN:
            return None
        terms = self._declared(endpoint, fields, route, workflow)
        if terms is None and self._settings.when == "deterministic" and _same(endpoint, fields):
            terms = self._default
        if terms is None or _reaches_out(fields) or _is_to_be_stored(endpoint, fields):
            return None
        return terms

    def _declared(
        self, endpoint: str, fields: Fields, route: str | None, workflow: str | None
    ) -> Terms | None:
        if workflow is not None and (said := self._workflows.get(workflow)) is not None:
            return said
        if route is None or (rule := self._routes.get(route)) is None:
            return None
        calls, terms = rule
        return None if calls == "deterministic" and not _same(endpoint, fields) else terms


def _same(endpoint: str, fields: Fields) -> bool:
    """Whether the request is known to be answered the same each time."""
    if endpoint in ALWAYS_THE_SAME:
        return True
    raw = fields.get("temperature")
    if raw is None:
        return False
    try:
        return _number.decode(raw) == 0.0
    except UNREADABLE:
        return False


def _is_to_be_stored(endpoint: str, fields: Fields) -> bool:
    """Whether the provider is to keep each answer, with what this request says of it."""
    return (
        "store" in fields and endpoint == "chat/completions" and bytes(fields["store"]) == b"true"
    )


def _reaches_out(fields: Fields) -> bool:
    """Whether answering does more, or needs more, than what stands in the request."""
    if not fields.keys().isdisjoint(STATE_ELSEWHERE):
        for name in STATE_ELSEWHERE:
            if name in fields and bytes(fields[name]) != b"null":
                return True
    if "tools" not in fields or bytes(raw := fields["tools"]) == b"null":
        return False
    try:
        return any(tool.type not in PLAIN_TOOLS for tool in _tools.decode(raw))
    except UNREADABLE:
        return True

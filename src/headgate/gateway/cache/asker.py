"""Turns a call into what it asks of the cache: whether, under which key, on what terms. No I/O."""

from __future__ import annotations

from headgate.gateway.cache.ask import Ask
from headgate.gateway.cache.batch import asked_besides_input, read_batch
from headgate.gateway.cache.key import NO_GUARDS, Scope, ScopedKeys, canonical
from headgate.gateway.cache.policy import CachePolicy
from headgate.gateway.call import Call
from headgate.gateway.request import Request
from headgate.gateway.target import Target

_TARGET_SETS_AT_MOST = 4_096
_SCOPES_AT_MOST = 4_096
_BETA = b"openai-beta: "

_Place = tuple[str, str | None, str, str, tuple[Target, ...], str, str]
"""What a scope follows from."""


class Asker:
    """Asks by one policy."""

    def __init__(self, policy: CachePolicy) -> None:
        self._policy = policy
        self._identities: dict[tuple[Target, ...], str] = {}
        self._scopes: dict[_Place, ScopedKeys] = {}

    def ask(
        self, call: Call, request: Request, targets: tuple[Target, ...], *, now_us: int
    ) -> Ask | None:
        """What to ask for `call`; None where it is not answered from the cache."""
        record, endpoint, fields = call.record, request.endpoint.name, request.fields
        if call.no_store or not request.model:
            return None  # which model answers is the provider's choice, which may change
        terms = self._policy.terms(
            endpoint=endpoint, fields=fields, route=record.route, workflow=record.workflow
        )
        if terms is None or (read := canonical(fields)) is None:
            return None
        keys = self._keys(call, request, targets)
        scope = keys.scope
        timeouts = targets[0].provider.timeouts(request.endpoint, streamed=request.streamed)
        ask = Ask(
            keys.key(read),
            scope,
            terms,
            asked_at_us=now_us,
            patience_s=timeouts.first_byte_s,
            idle_s=timeouts.idle_s,
            tags=terms.tags,
        )
        if call.cache_tags:
            ask.tags = tuple(dict.fromkeys((*terms.tags, *call.cache_tags)))
        # Vectors of two models must not meet in one answer.
        if endpoint == "embeddings" and len({target.model for target in targets}) == 1:
            besides = asked_besides_input(fields)
            if besides is not None:
                ask.batch = read_batch(fields, keys.key(besides))
        return ask

    def _keys(self, call: Call, request: Request, targets: tuple[Target, ...]) -> ScopedKeys:
        """The keys of the scope that a call belongs to."""
        record, guarding = call.record, call.guarding
        guards = NO_GUARDS if guarding is None else guarding.version
        beta = _beta(call.forwarded) if call.forwarded else ""
        endpoint, model = request.endpoint.name, request.model
        place = (record.project, record.workflow, endpoint, model, targets, guards, beta)
        known = self._scopes.get(place)
        if known is None:
            if len(self._scopes) >= _SCOPES_AT_MOST:
                self._scopes.clear()
            scope = Scope(
                project=record.project,
                workflow=record.workflow,
                endpoint=endpoint,
                model=model,
                targets=self._identity(targets),
                guard_policy=guards,
                beta=beta,
            )
            known = self._scopes[place] = ScopedKeys(scope)
        return known

    def _identity(self, targets: tuple[Target, ...]) -> str:
        """Which targets these are, in any order."""
        known = self._identities.get(targets)
        if known is None:
            if len(self._identities) >= _TARGET_SETS_AT_MOST:
                self._identities.clear()
            known = self._identities[targets] = "\n".join(sorted(map(_named, targets)))
        return known


def _named(target: Target) -> str:
    provider = target.provider
    # The simulator's address is another at each start, and its answers must never pass for real.
    address = "the simulator" if provider.simulated else provider.base_url
    return f"{provider.name} {target.model} {address}"


def _beta(forwarded: bytes) -> str:
    for line in forwarded.split(b"\r\n"):
        if line.startswith(_BETA):
            return line[len(_BETA) :].decode("latin-1")
    return ""

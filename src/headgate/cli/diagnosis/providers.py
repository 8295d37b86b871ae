"""Whether each provider answers, lets each key in, and serves what routes ask it for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime

from headgate.cli.diagnosis.finding import Finding
from headgate.config import environment
from headgate.config.settings import ProviderSettings, Settings
from headgate.errors import HeadgateError
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.keys.pool import ProviderKey
from headgate.gateway.provider import Provider
from headgate.gateway.upstream import Timeouts, UpstreamError

_PATIENCE = Timeouts(connect_s=5, first_byte_s=10, idle_s=10, total_s=15)
_MAX_LIST_BYTES = 8 * 1024 * 1024
_CLOCKS_APART_S = 60.0
"""From when tokens and signatures that say when they were made are refused somewhere."""

_NO_LIST = frozenset({404, 405, 501})
"""How servers answer that have no list of models."""


def look_at_providers(
    settings: Settings, providers: Mapping[str, ProviderSettings]
) -> list[Finding]:
    """What is found of each of `providers` and its keys. It asks them all at once, and blocks."""
    return asyncio.run(_all(settings, providers))


async def _all(settings: Settings, providers: Mapping[str, ProviderSettings]) -> list[Finding]:
    found = await asyncio.gather(
        *(_one(name, provider, settings) for name, provider in providers.items())
    )
    return [finding for findings in found for finding in findings]


async def _one(name: str, of: ProviderSettings, settings: Settings) -> list[Finding]:
    if environment.needs_simulator(of):
        return [
            Finding(
                of=f"provider {name}",
                state="warning",
                says="has no key: the simulator answers in its place",
                remedy="set OPENAI_API_KEY, or api_key in headgate.yaml",
            )
        ]
    provider = Provider(name, of, retry_budget=settings.retries.budget)
    names = provider.pool.names if provider.pool is not None else (None,)
    try:
        wanted = _asked_of(name, settings) if of.kind == "openai" else {}
        asked = [_key(provider, provider.keeper(key), wanted) for key in names]
        found = [finding for findings in await asyncio.gather(*asked) for finding in findings]
    finally:
        await provider.close()
    return found


async def _key(provider: Provider, key: ProviderKey, wanted: Mapping[str, str]) -> list[Finding]:
    """What is found of one key; `wanted` are the models that routes ask for, and by which."""
    of = f"provider {provider.name}" + (f", key {key.name}" if key.name else "")
    began_s = time.monotonic()
    try:
        let_in = await provider.let_in(key)
        reply, body = await provider.listing(let_in, _PATIENCE, _MAX_LIST_BYTES)
    except HeadgateError as error:
        return [Finding(of=of, state="failed", says=error.message)]
    except UpstreamError as error:
        return [
            Finding(
                of=of,
                state="failed",
                says=f"{provider.base_url} does not answer ({error.kind})",
                remedy="check base_url, and that this machine may reach it (firewall, DNS, TLS)",
            )
        ]
    took_ms = (time.monotonic() - began_s) * 1000
    findings = [*_clock(of, reply.header(b"date"))]
    if reply.status in (401, 403):
        says = f"refuses the key with {reply.status}"
        remedy = "give it another key, or the right to list models"
        return [*findings, Finding(of=of, state="failed", says=says, remedy=remedy)]
    if reply.status in _NO_LIST:
        says = f"answers in {took_ms:.0f} ms; it has no list of models ({reply.status})"
        return [*findings, Finding(of=of, state="ok", says=says)]
    if reply.status != 200:
        return [
            *findings,
            Finding(
                of=of,
                state="failed" if reply.status >= 500 else "warning",
                says=f"answers with {reply.status} when it is asked for its models",
                remedy="ask again later; check base_url if it stays so",
            ),
        ]
    try:
        models = {model["id"] for model in provider.dialect.models(body)}
    except UNREADABLE:
        models = set()
    says = f"answers in {took_ms:.0f} ms, {len(models)} models"
    return [
        *findings,
        Finding(of=of, state="ok", says=says),
        *(
            Finding(
                of=f"route {route}",
                state="warning",
                says=f"asks for {model}, which {of} does not list",
                remedy="check the model's name, and that the key's project may use it",
            )
            for model, route in wanted.items()
            if models and model not in models
        ),
    ]


def _clock(of: str, date: bytes | None) -> Iterator[Finding]:
    """Whether this machine's clock is about that of the provider."""
    try:
        there_s = parsedate_to_datetime((date or b"").decode("latin-1")).timestamp()
    except (ValueError, OverflowError):
        return
    apart_s = abs(there_s - time.time())
    if apart_s > _CLOCKS_APART_S:
        yield Finding(
            of=of,
            state="warning",
            says=f"its clock is {apart_s:.0f} s away from this machine's",
            remedy="have this machine keep time by NTP",
        )


def _asked_of(provider: str, settings: Settings) -> dict[str, str]:
    """The models that routes ask of a provider, and the first of those routes.

    Of OpenAI's kind only: Azure lists models, and is asked for deployments.
    """
    asked: dict[str, str] = {}
    for name, route in settings.routes.items():
        for target in route.every_target:
            if target.provider == provider:
                asked.setdefault(target.model, name)
    return asked

"""Targets for tests of what chooses among them."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.config.failures import BreakerSettings, RetryBudgetSettings
from headgate.config.settings import ProviderSettings
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.health.health import TargetHealth
from headgate.gateway.provider import Provider
from headgate.gateway.request import read_request
from headgate.gateway.strategies.traits import RequestTraits
from headgate.gateway.target import Target

PROVIDER = Provider(
    "here",
    ProviderSettings(base_url="http://127.0.0.1:9/v1", api_key="sk"),
    retry_budget=RetryBudgetSettings(),
)


def targets(*models: str) -> tuple[Target, ...]:
    """One target for each model."""
    return tuple(
        Target(PROVIDER, model, "route", TargetHealth(model, BreakerSettings())) for model in models
    )


def models(ordered: tuple[Target, ...]) -> list[str]:
    """The models of targets."""
    return [target.model for target in ordered]


def asked(
    endpoint: str = "chat/completions",
    *,
    workflow: str | None = None,
    feature: str | None = None,
    complexity: Any = None,
    rungs_up: int = 0,
    grade: str | None = None,
    **fields: object,
) -> RequestTraits:
    """A request as a strategy sees it."""
    body = msgspec.json.encode({"model": "route", "messages": [], **fields})
    request = read_request(ENDPOINTS[endpoint], body)
    return RequestTraits(
        request,
        workflow=workflow,
        feature=feature,
        complexity=complexity,
        rungs_up=rungs_up,
        grade=grade,
    )

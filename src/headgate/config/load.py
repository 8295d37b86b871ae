"""Finds and reads `headgate.yaml`, fills in the environment, and checks what spans fields."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from headgate.config.address import is_http_address, provider_address_problem
from headgate.config.checks.allowances import check_alerts, check_allowances
from headgate.config.checks.connectors import check_connectors
from headgate.config.checks.failures import check_failures
from headgate.config.checks.guards import check_guards
from headgate.config.checks.reviews import check_reviews, check_tool_reviewers
from headgate.config.checks.routes import check_route
from headgate.config.checks.tools import check_tool_sources
from headgate.config.endpoints import MODEL_OPTIONAL
from headgate.config.provider_kinds import kind_problems
from headgate.config.settings import ProviderSettings, Settings
from headgate.config.traces import TraceSettings
from headgate.config.yaml_file import YamlFile
from headgate.errors import ConfigError

FILE_NAME = "headgate.yaml"
MISNAMED = "headgate.yml"
"""Is not read, but told: whoever wrote it relies on its limits and guards."""

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


def load_settings(folder: Path | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in `folder/headgate.yaml`, or the defaults where there is no folder or no file.

    Raises `ConfigError` with file, line and field.
    """
    if folder is None:
        return Settings()
    if not folder.is_dir():
        raise ConfigError(
            f"{folder}: no such folder; `headgate init {folder}` makes an example there"
        )
    path = folder / FILE_NAME
    if not path.exists():
        if (misnamed := folder / MISNAMED).exists():
            raise ConfigError(f"{misnamed}: is not read; rename it to {FILE_NAME}")
        return Settings()
    document = YamlFile.read(path)
    document.data = _substituted(document, document.data, environment, ())
    settings = document.into(Settings)
    _check(document, settings)
    return settings


def setting_error(folder: Path | None, message: str, *steps: str | int) -> ConfigError:
    """A `ConfigError` that points at a field of `folder/headgate.yaml`.

    For what only those find out who know more than the file: its workflows, what is served.
    """
    path = Path(FILE_NAME) if folder is None else folder / FILE_NAME
    document = YamlFile.read(path) if path.exists() else YamlFile(path, "")
    return document.error(message, *steps)


def _substituted(
    document: YamlFile, node: Any, environment: Mapping[str, str], steps: tuple[str | int, ...]
) -> Any:
    if isinstance(node, dict):
        return {
            key: _substituted(document, value, environment, (*steps, key))
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [
            _substituted(document, value, environment, (*steps, index))
            for index, value in enumerate(node)
        ]
    if not isinstance(node, str):
        return node

    def value_of(found: re.Match[str]) -> str:
        value = environment.get(found["name"], found["default"])
        if value is None:
            raise document.error(
                f"the environment variable {found['name']} is not set; set it, or write"
                f" ${{{found['name']}:-default}}",
                *steps,
            )
        return value

    return _VARIABLE.sub(value_of, node)


def _check(document: YamlFile, settings: Settings) -> None:
    check_allowances(document, settings.limits, settings.budgets, settings.routes)
    check_alerts(document, settings.alerts)
    check_guards(document, settings.guards, settings.guard_policies)
    check_reviews(document, settings.reviews, settings.budgets)
    check_tool_sources(document, settings.tools)
    check_tool_reviewers(document, settings.tools, settings.reviews.groups)
    check_connectors(document, settings.connectors)
    for name, provider in settings.providers.items():
        if (problem := provider_address_problem(provider.base_url)) is not None:
            raise document.error(problem, "providers", name, "base_url")
        for field in ("api_key", "organization", "project"):
            value = getattr(provider, field)
            if value and not re.fullmatch(r"[\x21-\x7e]+", value):
                raise document.error(
                    "has characters that a header can't carry", "providers", name, field
                )
        for steps, what in kind_problems(provider):
            raise document.error(what, "providers", name, *steps)
        _check_keys(document, name, provider)
    keeper = settings.endpoints.provider
    if keeper is not None and keeper not in settings.provider_names:
        known = ", ".join(settings.provider_names)
        raise document.error(f"no such provider; there is {known}", "endpoints", "provider")
    for endpoint, model in settings.endpoints.default_models.items():
        if endpoint not in MODEL_OPTIONAL:
            raise document.error(
                f"is no endpoint whose requests may name no model; those are"
                f" {', '.join(MODEL_OPTIONAL)}",
                "endpoints", "default_models", endpoint,
            )  # fmt: skip
        served = (p for one in settings.providers.values() for p in one.models)
        is_served = not settings.providers or any(fnmatchcase(model, p) for p in served)
        if model not in settings.routes and not is_served:
            raise document.error(
                "is neither a route nor a model that a provider serves",
                "endpoints", "default_models", endpoint,
            )  # fmt: skip
    check_failures(document, settings.retries, settings.breaker)
    for name, route in settings.routes.items():
        check_route(document, name, route, settings)
    if settings.traces is not None:
        _check_traces(document, settings.traces, settings)
    if (cache := settings.cache) is not None:
        if cache.store == "redis" and not cache.redis_url:
            raise document.error("say where Redis is: redis_url: redis://…", "cache", "store")
        if cache.redis_url and not re.match(r"(redis|rediss|unix)://", cache.redis_url):
            raise document.error("write a redis:// or rediss:// address", "cache", "redis_url")
        if cache.max_entry_bytes > cache.memory_max_bytes:
            raise document.error(
                "is more than memory_max_bytes; such an answer would never be kept",
                "cache", "max_entry_bytes",
            )  # fmt: skip
    for field in ("trusted_proxies", "metrics_open_to"):
        for index, network in enumerate(getattr(settings.server, field)):
            try:
                ipaddress.ip_network(network, strict=False)
            except ValueError:
                raise document.error(
                    "is not a CIDR such as 10.0.0.0/8", "server", field, index
                ) from None
    for model, price in settings.prices.items():
        for field in price.__struct_fields__:
            value = getattr(price, field)
            if value is not None and not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value):
                raise document.error(
                    'write dollars per million tokens as text, "0.15"', "prices", model, field
                )


def _check_keys(document: YamlFile, provider: str, settings: ProviderSettings) -> None:
    names = {"default"} if settings.api_key else set()
    for index, key in enumerate(settings.keys):
        where = ("providers", provider, "keys", index)
        if key.name in names:
            raise document.error("is another key's name; each needs its own", *where, "name")
        names.add(key.name)
        for field in ("api_key", "organization", "project"):
            value = getattr(key, field)
            if value and not re.fullmatch(r"[\x21-\x7e]+", value):
                raise document.error("has characters that a header can't carry", *where, field)


def _check_traces(document: YamlFile, traces: TraceSettings, settings: Settings) -> None:
    if traces.endpoint is not None and not is_http_address(traces.endpoint):
        raise document.error("write an http:// or https:// address", "traces", "endpoint")
    for name, value in traces.headers.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or not value.isprintable():
            raise document.error("is not a header that can be sent", "traces", "headers", name)
    known = ", ".join(settings.provider_names)
    for index, name in enumerate(traces.propagate_to):
        if name not in settings.provider_names:
            raise document.error(
                f"no such provider; there is {known}", "traces", "propagate_to", index
            )

"""The effective policy: what the server is set to do, as understood, with secrets left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from headgate.config.checks.connectors import placeholders
from headgate.config.connectors import ConnectorSettings
from headgate.config.providers import CAPABILITIES, AzureADSettings
from headgate.config.settings import ProviderSettings, Settings


def effective_policy(
    settings: Settings,
    *,
    providers: Mapping[str, ProviderSettings],
    simulated: Collection[str],
    database_url: str,
) -> dict[str, Any]:
    """Every setting with its value, ready for JSON; a key is only said to be set or not."""
    policy: dict[str, Any] = msgspec.to_builtins(settings)
    policy["database_url"] = without_password(database_url)
    policy["providers"] = {
        name: msgspec.to_builtins(provider)
        | {
            "base_url": "(the simulator)" if name in simulated else provider.base_url,
            "api_key": "set" if provider.api_key else "not set",
            "capabilities": _capabilities(provider),
            "azure_ad": _without_secret(provider.azure_ad),
            "keys": [msgspec.to_builtins(key) | {"api_key": "set"} for key in provider.keys],
            "simulated": name in simulated,
        }
        for name, provider in providers.items()
    }
    # Signing keys, passwords, and addresses that are secrets themselves.
    for channels, secrets in (
        (policy["alerts"]["webhooks"], ("url", "secret")),
        (policy["alerts"]["slack"], ("url",)),
        (policy["alerts"]["email"], ("password",)),
    ):
        for channel in channels.values():
            for name in secrets:
                channel[name] = "set" if channel[name] else "not set"
    if settings.runs.webhooks is not None:
        policy["runs"]["webhooks"] |= dict.fromkeys(("secret",), "set")
    if settings.traces is not None:
        policy["traces"]["headers"] = dict.fromkeys(settings.traces.headers, "set")
    for source in policy["tools"].values():
        for name in ("headers", "environment"):
            if name in source:
                source[name] = dict.fromkeys(source[name], "set")
        if source.get("url") is not None:
            source["url"] = source["url"].partition("?")[0]
    if settings.cache is not None and settings.cache.redis_url is not None:
        policy["cache"]["redis_url"] = without_password(settings.cache.redis_url)
    policy["connectors"] = {
        name: connector_shown(connector) for name, connector in settings.connectors.items()
    }
    return policy


def connector_shown(connector: ConnectorSettings) -> dict[str, Any]:
    """A connector without its secrets: passwords, headers, and what is sent the same each time."""
    shown: dict[str, Any] = msgspec.to_builtins(connector)
    if connector.http is not None:
        http = shown["http"]
        http["headers"] = dict.fromkeys(connector.http.headers, "set")
        for operation in http["operations"].values():
            # An API's key may stand in a query, too.
            operation["query"] = {
                name: text if placeholders(text) else "set"
                for name, text in operation["query"].items()
            }
            if operation["body"] is not None:
                operation["body"] = _arguments_only(operation["body"])
    if connector.sql is not None:
        shown["sql"]["url"] = _address_of(connector.sql.url)
    return shown


def _address_of(url: str) -> str:
    """A database's address alone: a password may be written wrong, and then stands anywhere."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def _arguments_only(value: Any) -> Any:
    """A body's places for arguments; its constants are only said to be set."""
    if isinstance(value, dict):
        return {name: _arguments_only(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_arguments_only(inner) for inner in value]
    return value if isinstance(value, str) and placeholders(value) else "set"


def _capabilities(provider: ProviderSettings) -> list[str] | Literal["all"]:
    if provider.capabilities is not None:
        return list(provider.capabilities)
    able = CAPABILITIES[provider.kind]
    return "all" if able is None else sorted(able)


def _without_secret(settings: AzureADSettings | None) -> dict[str, Any] | None:
    if settings is None:
        return None
    shown: dict[str, Any] = msgspec.to_builtins(settings)
    return shown | {"client_secret": "set" if settings.client_secret else "not set"}


def without_password(url: str) -> str:
    """A database's URL as it may be shown."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    address = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{parts.username or ''}:…@{address}").geturl()

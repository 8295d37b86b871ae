"""How a server traces, from its file and from OpenTelemetry's own environment variables.

What the file says goes first. A variable that asks for what Headgate can't do is an error: traces
that silently go nowhere are found out when they are needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

import msgspec

from headgate.config.address import is_http_address
from headgate.config.traces import TraceSettings
from headgate.errors import ConfigError

_PREFIX = "OTEL_EXPORTER_OTLP_"
_PATH = "/v1/traces"
_LOCAL = f"http://localhost:4318{_PATH}"
_PROTOCOL = "http/protobuf"
_TIMEOUT_S = 10.0
_SAMPLERS: dict[str, tuple[float | None, bool]] = {
    "always_on": (1.0, False),
    "always_off": (0.0, False),
    "traceidratio": (None, False),
    "parentbased_always_on": (1.0, True),
    "parentbased_always_off": (0.0, True),
    "parentbased_traceidratio": (None, True),
}
"""The share of each of OTEL_TRACES_SAMPLER's values (None: OTEL_TRACES_SAMPLER_ARG says it), and
whether it follows the parent."""


class TracePlan(msgspec.Struct, frozen=True, kw_only=True):
    """How a server traces."""

    url: str
    """The collector's, with its path."""
    headers: Mapping[str, str]
    timeout_s: float
    """For one batch, with its retries."""
    gzip: bool
    certificate: str | None
    """A file of certificates that the collector's must be signed by; None: the system's."""
    client_certificate: str | None
    client_key: str | None
    resource: Mapping[str, str]
    """What describes this service, such as `service.name`."""
    share: float
    follow_parent: bool
    queue_entries: int
    propagate_to: tuple[str, ...]


def trace_plan(settings: TraceSettings | None, variables: Mapping[str, str]) -> TracePlan | None:
    """How to trace; None where neither the file nor the environment asks for it.

    Raises `ConfigError` for a variable that says what can't be done.
    """
    if variables.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    url = _url(variables)
    if settings is None:
        if url is None or variables.get("OTEL_TRACES_EXPORTER", "").strip() == "none":
            return None
        settings = TraceSettings()
    if settings.endpoint is not None:
        url = f"{settings.endpoint.rstrip('/').removesuffix(_PATH)}{_PATH}"
    protocol = _otlp(variables, "PROTOCOL") or _PROTOCOL
    if protocol != _PROTOCOL:
        raise ConfigError(
            f"{_PREFIX}PROTOCOL is {protocol}, and Headgate sends traces by {_PROTOCOL} only: set"
            " it to that and the endpoint to the collector's HTTP port (4318), or turn traces off"
            " by OTEL_SDK_DISABLED=true"
        )
    share, follow_parent = _sampler(variables)
    return TracePlan(
        url=url or _LOCAL,
        headers=settings.headers or _pairs(_otlp(variables, "HEADERS"), f"{_PREFIX}HEADERS"),
        timeout_s=settings.timeout_s or _timeout_s(variables),
        gzip=_gzip(variables),
        certificate=_file(variables, "CERTIFICATE"),
        client_certificate=_file(variables, "CLIENT_CERTIFICATE"),
        client_key=_file(variables, "CLIENT_KEY"),
        resource=_resource(variables),
        share=share if settings.share is None else settings.share,
        follow_parent=(follow_parent if settings.follow_parent is None else settings.follow_parent),
        queue_entries=settings.queue_entries,
        propagate_to=settings.propagate_to,
    )


def _otlp(variables: Mapping[str, str], name: str) -> str:
    """What is set for traces, or for every signal."""
    found = variables.get(f"{_PREFIX}TRACES_{name}") or variables.get(f"{_PREFIX}{name}")
    return (found or "").strip()


def _url(variables: Mapping[str, str]) -> str | None:
    whole = variables.get(f"{_PREFIX}TRACES_ENDPOINT", "").strip()
    base = variables.get(f"{_PREFIX}ENDPOINT", "").strip()
    url = whole or (base and f"{base.rstrip('/')}{_PATH}")
    if not url:
        return None
    if not is_http_address(url):
        raise ConfigError(f"{_PREFIX}ENDPOINT: write an http:// or https:// address")
    return url


def _timeout_s(variables: Mapping[str, str]) -> float:
    written = _otlp(variables, "TIMEOUT")
    if not written:
        return _TIMEOUT_S
    if not written.isdecimal() or not int(written):
        raise ConfigError(f"{_PREFIX}TIMEOUT is {written}; write whole milliseconds, from 1 on")
    return int(written) / 1000


def _gzip(variables: Mapping[str, str]) -> bool:
    written = _otlp(variables, "COMPRESSION") or "none"
    if written not in ("none", "gzip"):
        raise ConfigError(f"{_PREFIX}COMPRESSION is {written}; write gzip or none")
    return written == "gzip"


def _file(variables: Mapping[str, str], name: str) -> str | None:
    path = _otlp(variables, name)
    if path and not Path(path).is_file():
        raise ConfigError(f"{_PREFIX}{name}: there is no file {path}")
    return path or None


def _resource(variables: Mapping[str, str]) -> dict[str, str]:
    name = "OTEL_RESOURCE_ATTRIBUTES"
    found = {"service.name": "headgate"} | _pairs(variables.get(name, ""), name)
    if service := variables.get("OTEL_SERVICE_NAME"):
        found["service.name"] = service
    return found


def _pairs(written: str, variable: str) -> dict[str, str]:
    """`name=value,name=value`, with `%` and two digits for what can't stand there."""
    found = {}
    for part in filter(None, map(str.strip, written.split(","))):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"{variable}: write name=value, with commas between")
        found[unquote(name.strip())] = unquote(value.strip())
    return found


def _sampler(variables: Mapping[str, str]) -> tuple[float, bool]:
    name = variables.get("OTEL_TRACES_SAMPLER") or "parentbased_always_on"
    if name not in _SAMPLERS:
        raise ConfigError(
            f"OTEL_TRACES_SAMPLER is {name}, which Headgate does not know; it knows"
            f" {', '.join(_SAMPLERS)}"
        )
    share, follow_parent = _SAMPLERS[name]
    if share is None:
        written = variables.get("OTEL_TRACES_SAMPLER_ARG") or "1"
        try:
            share = float(written)
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            raise ConfigError(f"OTEL_TRACES_SAMPLER_ARG is {written}; write a number from 0 to 1")
    return share, follow_parent

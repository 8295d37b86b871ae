"""Whether what is written of failures makes sense: no pause longer than the longest."""

from __future__ import annotations

from headgate.config.failures import BreakerSettings, RetrySettings
from headgate.config.yaml_file import YamlFile


def check_failures(document: YamlFile, retries: RetrySettings, breaker: BreakerSettings) -> None:
    """`ConfigError` with file and line for a time that the other one would not let be."""
    # A longest pause below the default first one shortens that too, which is what it asks for.
    if _has(document, "retries", "base_delay_s") and retries.base_delay_s > retries.max_delay_s:
        raise document.error(
            f"is more than max_delay_s, {retries.max_delay_s:g}", "retries", "base_delay_s"
        )
    # Without `max_open_s`, `open_s` may be longer than its default and is the longest then.
    if _has(document, "breaker", "max_open_s") and breaker.max_open_s < breaker.open_s:
        raise document.error(f"is less than open_s, {breaker.open_s:g}", "breaker", "max_open_s")


def _has(document: YamlFile, block: str, field: str) -> bool:
    return field in document.data.get(block, {})

"""A text in one of JSON Schema's formats: found in the source, or made up where it has none."""

from __future__ import annotations

import re
import uuid

from headgate.simulator.text import figures
from headgate.simulator.text.dates import dates
from headgate.simulator.text.source import Source
from headgate.simulator.text.words import words

_TIME = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?\b")
_IPV4 = re.compile(r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b")
_UUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)
_HOST = re.compile(r"\b(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}\b")
_DURATION = re.compile(r"\b(\d+)\s*(minutes?|hours?|days?|weeks?)\b", re.IGNORECASE)


def in_format(name: str, source: Source) -> tuple[str, bool] | None:
    """A text in the format `name` and whether `source` says it; None for an unknown format."""
    text = source.facts
    match name:
        case "date":
            found = next((date.iso for date in dates(text) if date.iso), None)
            return _or(found, "2026-01-15")
        case "time":
            return _or(_time(text), "09:00:00Z")
        case "date-time":
            found = next((date.iso for date in dates(text) if date.iso), None)
            at = _time(text) or "09:00:00Z"
            return f"{found or '2026-01-15'}T{at}", found is not None
        case "duration":
            return _or(_duration(text), "P1D")
        case "email" | "idn-email":
            return _or(figures.first(figures.EMAIL, text), "customer@example.com")
        case "hostname" | "idn-hostname":
            return _or(figures.first(_HOST, text.lower()), "www.example.com")
        case "ipv4":
            return _or(figures.first(_IPV4, text), "192.0.2.10")
        case "ipv6":
            return "2001:db8::10", False
        case "uri" | "url" | "iri" | "uri-reference" | "iri-reference":
            return _or(figures.first(figures.URL, text), f"https://example.com/{_slug(text)}")
        case "uuid":
            found = figures.first(_UUID, text)
            return _or(found, str(uuid.uuid5(uuid.NAMESPACE_URL, text)))
        case "json-pointer":
            return "/items/0", False
        case "relative-json-pointer":
            return "1/items", False
        case "regex":
            return "^[a-z]+$", False
        case "uri-template":
            return "https://example.com/{id}", False
        case _:
            return None


def _or(found: str | None, made_up: str) -> tuple[str, bool]:
    return (found, True) if found else (made_up, False)


def _time(text: str) -> str | None:
    found = _TIME.search(text)
    return f"{int(found[1]):02d}:{found[2]}:{found[3] or '00'}Z" if found else None


def _duration(text: str) -> str | None:
    found = _DURATION.search(text)
    if not found:
        return None
    unit = found[2][0].lower()
    return {"m": f"PT{found[1]}M", "h": f"PT{found[1]}H", "d": f"P{found[1]}D"}.get(
        unit, f"P{found[1]}W"
    )


def _slug(text: str) -> str:
    return "-".join(word for word in words(text)[:3] if word.isascii()) or "page"

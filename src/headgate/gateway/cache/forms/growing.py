"""Puts a message together from its deltas, as the official SDKs do. Pure."""

from __future__ import annotations

from typing import Any

_REPLACED = frozenset({"id", "index", "role", "type"})
"""Fields that a later delta may repeat and never continues."""


class _Text(list[str]):
    """A text as far as it has come; joined once, since each `+=` would copy all of it."""


class Growing:
    """An object that grows delta by delta."""

    def __init__(self) -> None:
        self._object: dict[str, Any] = {}

    def add(self, delta: dict[str, Any]) -> None:
        """Continue it."""
        _merge(self._object, delta)

    def finished(self) -> dict[str, Any]:
        """It as it is now."""
        found: dict[str, Any] = _settled(self._object)
        return found


def _merge(into: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        before = into.get(name)
        if value is None:
            into.setdefault(name, None)
        elif before is None or name in _REPLACED:
            into[name] = value if name in _REPLACED else _begun(value)
        elif isinstance(value, str) and isinstance(before, _Text):
            before.append(value)
        elif isinstance(value, dict) and isinstance(before, dict):
            _merge(before, value)
        elif isinstance(value, list) and isinstance(before, list):
            _extend(before, value)
        else:
            into[name] = _begun(value)


def _extend(into: list[Any], values: list[Any]) -> None:
    for value in values:
        index = value.get("index") if isinstance(value, dict) else None
        if index is None:
            into.append(_begun(value))
            continue
        for known in into:
            if isinstance(known, dict) and known.get("index") == index:
                _merge(known, value)
                break
        else:
            into.append(_begun(value))


def _begun(value: Any) -> Any:
    if isinstance(value, str):
        return _Text([value])
    if isinstance(value, dict):
        begun: dict[str, Any] = {}
        _merge(begun, value)
        return begun
    if isinstance(value, list):
        items: list[Any] = []
        _extend(items, value)
        return items
    return value


def _settled(value: Any) -> Any:
    if isinstance(value, _Text):
        return "".join(value)
    if isinstance(value, dict):
        return {name: _settled(inner) for name, inner in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(item, dict) and "index" in item for item in value):
            value = sorted(value, key=lambda item: item["index"])
            return [_settled({n: v for n, v in item.items() if n != "index"}) for item in value]
        return [_settled(item) for item in value]
    return value

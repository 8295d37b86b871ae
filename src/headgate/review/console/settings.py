"""Settings: the policy as the server understands it, to be read and not changed here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.responses import Response

from headgate.review.console.rendering import Renderer
from headgate.review.console.visit import Visit


class Setting(msgspec.Struct, frozen=True):
    """One value and where it stands, such as `server.max_body_bytes`."""

    path: str
    value: str


class SettingsPage:
    """`GET /console/settings`."""

    def __init__(self, effective_config: Callable[[], Any], renderer: Renderer) -> None:
        """`effective_config`: the policy with secrets masked, ready for JSON."""
        self._effective_config = effective_config
        self._renderer = renderer

    async def show(self, visit: Visit) -> Response:
        """The page."""
        policy: dict[str, Any] = msgspec.to_builtins(self._effective_config())
        sections: dict[str, list[Setting]] = {}
        alone: list[Setting] = []
        for name, value in policy.items():
            if isinstance(value, dict | list | tuple) and value:
                sections[name] = list(_flat("", value))
            else:
                alone.append(Setting(name, _written(value)))
        return self._renderer.page("settings.html", visit, sections=sections, alone=alone)


def _flat(path: str, value: Any) -> list[Setting]:
    if isinstance(value, dict) and value:
        return [
            setting
            for name, inner in value.items()
            for setting in _flat(f"{path}.{name}" if path else str(name), inner)
        ]
    if isinstance(value, list | tuple) and any(isinstance(inner, dict) for inner in value):
        return [
            setting
            for number, inner in enumerate(value)
            for setting in _flat(f"{path}[{number}]", inner)
        ]
    return [Setting(path, _written(value))]


def _written(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return "none"
    return str(value)

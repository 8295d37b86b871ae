"""Guards of an operator's own: a class in a file of the project, or of an installed package.

It is their code and runs with the server's rights; what it raises fails closed like any guard.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from pathlib import Path
from typing import Any

from headgate.checks.guards.guard import Guard
from headgate.config.guards import CustomSettings
from headgate.errors import ConfigError

ENTRY_POINTS = "headgate.guards"
"""The group in which an installed package names its guards."""


def custom_guard(
    name: str, settings: CustomSettings, folder: Path | None, common: dict[str, Any]
) -> Guard:
    """The guard that `settings` name. Raises `ConfigError` where it can't be had."""
    kind = _from_file(name, settings, folder) if settings.file else _from_package(name, settings)
    if not (isinstance(kind, type) and issubclass(kind, Guard)):
        raise ConfigError(f"guards.{name}.custom: `{settings.guard}` is no subclass of Guard")
    try:
        return kind(name, **common, **settings.settings)
    except Exception as error:
        raise ConfigError(
            f"guards.{name}.custom: `{settings.guard}` can't be made with these settings: {error}"
        ) from error


def _from_file(name: str, settings: CustomSettings, folder: Path | None) -> Any:
    path = (folder or Path()) / str(settings.file)
    if not path.is_file():
        raise ConfigError(f"guards.{name}.custom.file: there is no {path}")
    module_name = f"headgate_guard_{name.replace('-', '_').replace('.', '_')}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"guards.{name}.custom.file: {path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(f"guards.{name}.custom.file: {path} can't be read: {error}") from error
    if not hasattr(module, settings.guard):
        raise ConfigError(f"guards.{name}.custom.guard: {path} has no `{settings.guard}`")
    return getattr(module, settings.guard)


def _from_package(name: str, settings: CustomSettings) -> Any:
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        if point.name == settings.guard:
            try:
                return point.load()
            except Exception as error:
                raise ConfigError(
                    f"guards.{name}.custom.guard: `{settings.guard}` can't be imported: {error}"
                ) from error
    raise ConfigError(
        f"guards.{name}.custom.guard: no installed package has a guard `{settings.guard}` in the"
        f" entry points `{ENTRY_POINTS}`; or name a `file` of the project"
    )

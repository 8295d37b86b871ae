"""Guards of an operator's own: a class in a file of the project, or of an installed package.

It is their code and runs with the server's rights; what it raises fails closed like any guard.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import inspect
import sys
import traceback
from pathlib import Path
from typing import Any

from headgate.checks.guards.guard import Guard
from headgate.config.guards import CustomSettings
from headgate.config.load import FILE_NAME
from headgate.config.yaml_file import YamlFile
from headgate.errors import ConfigError

ENTRY_POINTS = "headgate.guards"
"""The group in which an installed package names its guards."""

_METHODS = (
    "check_input", "check_output", "output_filter", "reads_streams", "must_see",
    "begin", "awaits", "check_finished",
)  # fmt: skip


class _UnusableError(Exception):
    """The guard can't be had; which setting says so, and why."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(field, why)
        self.field = field
        self.why = why


def custom_guard(
    name: str, settings: CustomSettings, folder: Path | None, common: dict[str, Any]
) -> Guard:
    """The guard that `settings` name. Raises `ConfigError` where it can't be had."""
    try:
        kind = _from_file(name, settings, folder) if settings.file else _from_package(settings)
        if not (isinstance(kind, type) and issubclass(kind, Guard)):
            raise _UnusableError("guard", f"`{settings.guard}` is no subclass of Guard")
        _check_methods(settings.guard, kind)
        return _made(name, kind, settings, common)
    except _UnusableError as unusable:
        steps = ("guards", name, "custom", unusable.field)
        path = None if folder is None else folder / FILE_NAME
        if path is not None and path.is_file():
            raise YamlFile.read(path).error(unusable.why, *steps) from unusable.__cause__
        raise ConfigError(f"{'.'.join(steps)}: {unusable.why}") from unusable.__cause__


def _from_file(name: str, settings: CustomSettings, folder: Path | None) -> Any:
    path = (folder or Path()) / str(settings.file)
    if not path.is_file():
        raise _UnusableError("file", f"there is no {path}")
    module_name = f"headgate_guard_{name.replace('-', '_').replace('.', '_')}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise _UnusableError("file", f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[module_name]
        raise _UnusableError(
            "file", f"{_place(error, path)}: can't be read: {_told(error)}"
        ) from error
    if not hasattr(module, settings.guard):
        raise _UnusableError("guard", f"{path} has no `{settings.guard}`")
    return getattr(module, settings.guard)


def _told(error: BaseException) -> str:
    """What it says; an exit says nothing, and would end the command without a word."""
    return "it exits" if isinstance(error, SystemExit) else str(error)


def _place(error: BaseException, path: Path) -> str:
    """The file, and the line in it where the error came about."""
    if isinstance(error, SyntaxError):
        return f"{path}:{error.lineno or 1}"
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(path.absolute())
    ]
    return f"{path}:{lines[-1]}" if lines else str(path)


def _from_package(settings: CustomSettings) -> Any:
    known = importlib.metadata.entry_points(group=ENTRY_POINTS)
    for point in known:
        if point.name == settings.guard:
            try:
                return point.load()
            except (Exception, SystemExit) as error:
                raise _UnusableError(
                    "guard", f"`{settings.guard}` can't be imported: {_told(error)}"
                ) from error
    named = ", ".join(sorted(point.name for point in known)) or "none"
    raise _UnusableError(
        "guard",
        f"no installed package has a guard `{settings.guard}` in the entry points"
        f" `{ENTRY_POINTS}`, which name {named}; or name a `file` of the project",
    )


def _check_methods(shown: str, kind: type[Guard]) -> None:
    """What could only fail when it is called is told at once."""
    for method in _METHODS:
        own, meant = getattr(kind, method), getattr(Guard, method)
        wants = [*inspect.signature(meant).parameters]
        waits = inspect.iscoroutinefunction(meant)
        try:
            inspect.signature(own).bind(*wants)
            fits = inspect.iscoroutinefunction(own) is waits
        except (TypeError, ValueError):
            fits = False
        if not fits:
            written = f"{'async ' if waits else ''}def {method}({', '.join(wants)})"
            raise _UnusableError("guard", f"`{shown}` must have it as `{written}`")


def _made(name: str, kind: type[Guard], settings: CustomSettings, common: dict[str, Any]) -> Guard:
    try:
        guard = kind(name, **common, **settings.settings)
    except (Exception, SystemExit) as error:
        raise _UnusableError(
            "settings", f"`{settings.guard}` can't be made with these: {_told(error)}"
        ) from error
    if not hasattr(guard, "timeout_s"):
        raise _UnusableError(
            "guard", f"the `__init__` of `{settings.guard}` must call super().__init__(name, **…)"
        )
    guard.foreign = True
    return guard

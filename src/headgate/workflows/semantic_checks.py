"""Whether what `cache.semantic` names is there: workflows that may be answered so, and a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from headgate.config.load import setting_error
from headgate.config.settings import ProviderSettings, Settings
from headgate.errors import ConfigError
from headgate.workflows.context_checks import unlike
from headgate.workflows.folder import Workflow

_BLOCK = ("cache", "semantic")


def check_semantic(
    settings: Settings,
    folder: Path | None,
    providers: Mapping[str, ProviderSettings],
    workflows: Iterable[Workflow],
) -> None:
    """`ConfigError`, whose `problems` are all there are, each with file and line."""
    semantic = settings.cache.semantic if settings.cache is not None else None
    if semantic is None:
        return
    problems: list[str] = []
    found = {workflow.name: workflow for workflow in workflows}
    for name in semantic.workflows:
        workflow = found.get(name)
        if workflow is None or workflow.settings.cache is None:
            said = f"there is no workflow `{name}` with a `cache:`"
        elif workflow.context is not None:
            said = unlike(name)
        else:
            continue
        problems.append(setting_error(folder, said, *_BLOCK, "workflows", name).message)
    patterns = [pattern for provider in providers.values() for pattern in provider.models]
    model = semantic.embeddings
    if model not in settings.routes and not any(fnmatchcase(model, p) for p in patterns):
        said = f"{model} is neither a route nor a model that a provider serves"
        problems.append(setting_error(folder, said, *_BLOCK, "embeddings").message)
    if problems:
        raise ConfigError(problems[0], problems=tuple(problems))

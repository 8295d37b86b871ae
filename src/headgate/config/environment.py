"""What the environment says: where the project folder and the database are, and who OpenAI is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from headgate.config.address import OPENAI_HOST, provider_address_problem
from headgate.config.load import FILE_NAME, MISNAMED
from headgate.config.settings import DEFAULT_PROVIDER, ProviderSettings, Settings
from headgate.errors import ConfigError


def project_folder(
    argument: Path | None, environment: Mapping[str, str] = os.environ
) -> Path | None:
    """The project: the folder that is named, HEADGATE_PROJECT, or this one if it is one."""
    if argument is not None:
        return argument
    if named := environment.get("HEADGATE_PROJECT"):
        return Path(named)
    here = Path.cwd()
    return here if is_project(here) else None


def is_project(folder: Path) -> bool:
    """Whether it has a `headgate.yaml`, well named or not, or a workflow."""
    if any((folder / name).exists() for name in (FILE_NAME, MISNAMED)):
        return True
    return any(folder.glob("workflows/*/workflow.yaml"))


def database_url(
    folder: Path | None, settings: Settings, environment: Mapping[str, str] = os.environ
) -> str:
    """The database: HEADGATE_DATABASE_URL, then `database_url`, then a file in `data/`."""
    named = environment.get("HEADGATE_DATABASE_URL") or settings.database_url
    return named or f"sqlite:///{(folder or Path.cwd()).resolve() / 'data' / 'headgate.db'}"


def providers(
    settings: Settings, environment: Mapping[str, str] = os.environ
) -> dict[str, ProviderSettings]:
    """The providers of the file, or OpenAI as the official SDKs read it from the environment."""
    if settings.providers:
        return dict(settings.providers)
    key = environment.get("OPENAI_API_KEY") or None
    base_url = environment.get("OPENAI_BASE_URL") or None
    if base_url is not None and (problem := provider_address_problem(base_url)) is not None:
        raise ConfigError(f"OPENAI_BASE_URL: {problem}")
    return {
        DEFAULT_PROVIDER: ProviderSettings(
            base_url=base_url or ProviderSettings().base_url,
            api_key=key,
            organization=environment.get("OPENAI_ORG_ID") or None,
            project=environment.get("OPENAI_PROJECT_ID") or None,
        )
    }


def needs_simulator(provider: ProviderSettings) -> bool:
    """Whether it is OpenAI without a key, which the simulator stands in for."""
    at_openai = provider.kind == "openai" and f"//{OPENAI_HOST}" in provider.base_url
    return at_openai and not provider.api_key and not provider.keys

"""The ways in which providers are spoken to, one file or folder each.

To add one: write a class with `Dialect`'s methods, name its kind in `config/providers.py` and
choose it here. docs/how-to/add-a-provider.md says it step by step.
"""

from urllib.parse import urlsplit

from headgate.config.settings import ProviderSettings
from headgate.gateway.dialects.azure import AzureDialect
from headgate.gateway.dialects.dialect import Dialect, Model, Outgoing
from headgate.gateway.dialects.openai import OpenAIDialect


def dialect_for(settings: ProviderSettings, *, prompt_cache_keys: bool = False) -> Dialect:
    """The dialect of a provider that is set up so.

    `prompt_cache_keys`: whether it knows what `prompt_cache_key` is.
    """
    base_path = urlsplit(settings.base_url).path.rstrip("/").encode()
    if settings.kind == "azure":
        return AzureDialect(
            base_path,
            deployments=settings.deployments,
            api_version=settings.api_version,
            models=settings.models,
        )
    if settings.kind == "anthropic":
        # Twenty modules that a server without such a provider never loads.
        from headgate.gateway.dialects.anthropic import AnthropicDialect  # noqa: PLC0415

        return AnthropicDialect(base_path, default_max_tokens=settings.default_max_tokens)
    return OpenAIDialect(base_path, prompt_cache_keys=prompt_cache_keys)


__all__ = ["Dialect", "Model", "Outgoing", "dialect_for"]

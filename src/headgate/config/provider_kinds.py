"""Whether what is written of a provider fits its kind."""

from __future__ import annotations

import re
from collections.abc import Iterator

from headgate.config.address import address_problem
from headgate.config.providers import (
    AZURE_API_VERSION,
    CAPABILITIES,
    DEFAULT_MAX_TOKENS,
    AzureADSettings,
)
from headgate.config.settings import OPENAI_URL, ProviderSettings

Problem = tuple[tuple[str | int, ...], str]
"""Where below the provider, and what to do."""

_VERSION = re.compile(r"v1|\d{4}-\d{2}-\d{2}(-preview)?")
_DEPLOYMENT = re.compile(r"[\w.-]{1,128}", re.ASCII)


def kind_problems(provider: ProviderSettings) -> Iterator[Problem]:
    """What is wrong, field by field."""
    able = CAPABILITIES[provider.kind]
    for index, capability in enumerate(provider.capabilities or ()):
        if able is not None and capability not in able:
            yield (
                ("capabilities", index),
                f"a provider of kind {provider.kind} never can; it can {', '.join(sorted(able))}",
            )
    if provider.kind != "anthropic" and provider.default_max_tokens != DEFAULT_MAX_TOKENS:
        yield ("default_max_tokens",), "is for a provider of kind anthropic; leave it out"
    for field in ("organization", "project"):
        if provider.kind != "openai" and getattr(provider, field):
            yield (field,), "is for a provider of kind openai; leave it out"
    if provider.kind == "azure":
        yield from _azure_problems(provider)
        return
    azure_only = {
        "deployments": bool(provider.deployments),
        "api_version": provider.api_version != AZURE_API_VERSION,
        "azure_ad": provider.azure_ad is not None,
    }
    for field, written in azure_only.items():
        if written:
            yield (field,), "is for a provider of kind azure; write `kind: azure` or leave it out"


def _azure_problems(provider: ProviderSettings) -> Iterator[Problem]:
    if provider.base_url == OPENAI_URL:
        yield ("base_url",), "write your resource's address, https://NAME.openai.azure.com"
    if not _VERSION.fullmatch(provider.api_version):
        yield ("api_version",), "write a version such as 2024-10-21, or v1"
    for model, deployment in provider.deployments.items():
        if not _DEPLOYMENT.fullmatch(deployment):
            yield ("deployments", model), "write the name of a deployment"
    if provider.azure_ad is None and not (provider.api_key or provider.keys):
        yield ("api_key",), "is missing; write it, or `keys`, or `azure_ad`"
    if provider.azure_ad is not None:
        if provider.api_key or provider.keys:
            yield ("azure_ad",), "goes in place of api_key and keys; leave one of them out"
        yield from _entra_problems(provider.azure_ad)


def _entra_problems(settings: AzureADSettings) -> Iterator[Problem]:
    needed = () if settings.managed_identity else ("tenant_id", "client_id", "client_secret")
    for field in needed:
        if not getattr(settings, field):
            yield ("azure_ad", field), "is missing; write it, or `managed_identity: true`"
    if settings.managed_identity and (settings.client_secret or settings.tenant_id):
        yield ("azure_ad", "managed_identity"), "needs neither tenant_id nor client_secret"
    if settings.authority is not None:
        problem = address_problem(settings.authority)
        if problem is not None:
            yield ("azure_ad", "authority"), problem

"""Which providers' keys are too short to be told from ordinary text, and so can't be hidden."""

from __future__ import annotations

from collections.abc import Mapping

from headgate.config.settings import ProviderSettings

LEAST_HIDDEN_CHARACTERS = 8
"""A shorter key stands in ordinary words and numbers, and hiding it there would spoil replies."""


def short_key_warnings(providers: Mapping[str, ProviderSettings]) -> tuple[str, ...]:
    """A sentence for each; none of them quotes a key."""
    found: list[str] = []
    for name, provider in providers.items():
        keys = {f"keys[{index}].api_key": key.api_key for index, key in enumerate(provider.keys)}
        for place, secret in {"api_key": provider.api_key, **keys}.items():
            if secret and len(secret.encode()) < LEAST_HIDDEN_CHARACTERS:
                found.append(
                    f"providers.{name}.{place} has fewer than {LEAST_HIDDEN_CHARACTERS} characters;"
                    " where a reply quotes it, it is not hidden, since that would spoil other words"
                )
    return tuple(found)

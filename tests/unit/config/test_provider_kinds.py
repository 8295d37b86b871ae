"""What is written of a provider fits its kind, or is refused with the file and the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.config.load import load_settings
from headgate.config.settings import Settings
from headgate.errors import ConfigError


def load(folder: Path, text: str) -> Settings:
    lines = ["providers:", "  one:", *(f"    {line}" for line in text.splitlines())]
    (folder / "headgate.yaml").write_text("\n".join(lines) + "\n")
    return load_settings(folder, {})


AZURE = "kind: azure\nbase_url: https://name.openai.azure.com\n"


def test_anthropic_has_its_own_address(tmp_path: Path):
    settings = load(tmp_path, "kind: anthropic\napi_key: sk-ant-x")
    assert settings.providers["one"].base_url == "https://api.anthropic.com"
    assert load(tmp_path, "api_key: x").providers["one"].base_url == "https://api.openai.com/v1"


@pytest.mark.parametrize(
    "text",
    [
        AZURE + "api_key: x\ndeployments: { gpt-4.1: ours }",
        AZURE + "api_key: x\napi_version: 2025-04-01-preview",
        AZURE + "keys: [{name: a, api_key: x}]\napi_version: v1",
        AZURE + "azure_ad: { managed_identity: true }",
        AZURE + "azure_ad: { tenant_id: t, client_id: c, client_secret: s }",
        "capabilities: [chat]",
        "capabilities: []",
        "kind: anthropic\ncapabilities: [chat, streaming]\ndefault_max_tokens: 100",
    ],
)
def test_what_fits_is_accepted(tmp_path: Path, text: str):
    load(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("kind: gemini", 3, "kind"),
        ("kind: azure\napi_key: x", 2, "https://NAME.openai.azure.com"),
        (AZURE + "api_version: latest", 5, "2024-10-21, or v1"),
        (AZURE, 2, "api_key: is missing; write it, or `keys`, or `azure_ad`"),
        (AZURE + 'api_key: ""', 5, "api_key: is missing"),
        (AZURE + "deployments: { gpt-4.1: ../x }", 5, "deployment"),
        (AZURE + "api_key: x\nazure_ad: { managed_identity: true }", 6, "api_key"),
        (AZURE + "azure_ad:\n  tenant_id: t", 5, "client_id"),
        (AZURE + "azure_ad:\n  managed_identity: true\n  client_secret: s", 6, "neither"),
        (AZURE + "azure_ad:\n  managed_identity: true\n  authority: ftp://x", 7, "http://"),
        (AZURE + "capabilities: [chat, moderations]", 5, "never can"),
        ("kind: anthropic\ncapabilities: [embeddings]", 4, "never can"),
        ("capabilities: [flying]", 3, "capabilities"),
        ("deployments: { a: b }", 3, "kind: azure"),
        ("default_max_tokens: 100", 3, "kind anthropic"),
        ("kind: anthropic\nproject: proj_1", 4, "kind openai"),
        ("api_version: v1", 3, "kind: azure"),
        ("kind: anthropic\nazure_ad: { managed_identity: true }", 4, "kind: azure"),
    ],
)
def test_what_does_not_is_refused_where_it_stands(tmp_path: Path, text: str, line: int, says: str):
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text)
    assert f"headgate.yaml:{line}: providers.one" in str(refused.value)
    assert says in str(refused.value)

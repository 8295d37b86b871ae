"""An address or a price that can't be is told by file, line and field, wherever it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.config import environment
from headgate.config.load import load_settings
from headgate.config.settings import Settings
from headgate.errors import ConfigError

IMPOSSIBLE = (
    "http://[::1/v1",
    "http://one.example:99999/v1",
    "http://one.example:abc/v1",
    "ftp://a",
    "http://one.example/a b",
)

AZURE = "providers:\n  a:\n    kind: azure\n    base_url: https://a.example\n    azure_ad: "


@pytest.mark.parametrize("address", IMPOSSIBLE)
@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("providers:\n  one: {{base_url: '{0}'}}\n", ":2: providers.one.base_url"),
        ("alerts:\n  slack:\n    a: {{url: '{0}'}}\n", ":3: alerts.slack.a.url"),
        ("traces: {{endpoint: '{0}'}}\n", ":1: traces.endpoint"),
        (
            AZURE + "{{managed_identity: true, authority: '{0}'}}\n",
            ":5: providers.a.azure_ad.authority",
        ),
    ],
)
def test_an_address_that_can_not_be_is_told_with_its_line(tmp_path: Path, text, where, address):
    (tmp_path / "headgate.yaml").write_text(text.format(address))
    with pytest.raises(ConfigError) as error:
        load_settings(tmp_path, {})
    assert f"headgate.yaml{where}" in error.value.message
    assert ": write an http:// or https:// address" in error.value.message


@pytest.mark.parametrize("address", IMPOSSIBLE)
def test_the_address_in_the_environment_is_held_to_the_same(address):
    with pytest.raises(ConfigError, match=r"^OPENAI_BASE_URL: write an http:// or https://"):
        environment.providers(Settings(), {"OPENAI_BASE_URL": address})


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://api.openai.com", "write https://api.openai.com/v1"),
        ("https://eu.api.openai.com/", "write https://eu.api.openai.com/v1"),
        ("https://one.example/v1/chat/completions", "end it before that, most often with /v1"),
        ("https://api.openai.com/v1/responses/", "end it before that, most often with /v1"),
    ],
)
def test_a_providers_address_that_ends_too_early_or_too_late_is_told(
    tmp_path: Path, address: str, told: str
):
    (tmp_path / "headgate.yaml").write_text(f"providers:\n  one: {{base_url: '{address}'}}\n")
    with pytest.raises(ConfigError) as error:
        load_settings(tmp_path, {})
    assert ":2: providers.one.base_url: " in error.value.message
    assert told in error.value.message
    with pytest.raises(ConfigError, match=r"^OPENAI_BASE_URL: "):
        environment.providers(Settings(), {"OPENAI_BASE_URL": address})


@pytest.mark.parametrize(
    "address", ["https://api.openai.com/v1/", "http://127.0.0.1:11434/v1", "http://llm.example"]
)
def test_a_providers_address_with_v1_or_another_servers_own_is_taken(tmp_path: Path, address: str):
    (tmp_path / "headgate.yaml").write_text(f"providers:\n  one: {{base_url: '{address}'}}\n")
    assert load_settings(tmp_path, {}).providers["one"].base_url == address


@pytest.mark.parametrize("field", ["cached_input", "cached_input_audio", "output_audio"])
def test_each_price_is_dollars_as_text(tmp_path: Path, field):
    price = f"{{input: '1', output: '1', {field}: abc}}"
    (tmp_path / "headgate.yaml").write_text(f"prices:\n  m: {price}\n")
    with pytest.raises(ConfigError, match=rf":2: prices\.m\.{field}: write dollars"):
        load_settings(tmp_path, {})

"""What `endpoints:` says is held to what the rest of the file has."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.config.load import load_settings
from headgate.errors import ConfigError

PROVIDERS = """\
providers:
  one: {base_url: "https://one.example/v1", models: ["gpt-*"]}
routes:
  pictures: {targets: [{provider: one, model: gpt-image-2}]}
endpoints:
  default_models:
"""


def loaded(folder: Path, text: str) -> dict[str, str]:
    (folder / "headgate.yaml").write_text(text)
    return load_settings(folder, {}).endpoints.default_models


def test_a_default_model_is_a_route_or_what_a_provider_serves(tmp_path: Path):
    text = f"{PROVIDERS}    images/edits: pictures\n    responses: gpt-6\n"
    assert loaded(tmp_path, text) == {"images/edits": "pictures", "responses": "gpt-6"}
    alone = "endpoints: {default_models: {responses: anything}}\n"
    assert loaded(tmp_path, alone) == {"responses": "anything"}


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("    responses: claude\n", ":7: endpoints.default_models.responses: is neither a route"),
        ("    embeddings: gpt-6\n", ":7: endpoints.default_models.embeddings: is no endpoint"),
    ],
)
def test_a_default_model_that_can_not_be_is_refused(tmp_path: Path, line: str, what: str):
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, PROVIDERS + line)
    assert what in refused.value.message

"""A time that the other one would not let be is refused, with the line that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.config.load import load_settings
from headgate.config.settings import Settings
from headgate.errors import ConfigError


def load(folder: Path, text: str) -> Settings:
    (folder / "headgate.yaml").write_text(text)
    return load_settings(folder, {})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "retries:\n  base_delay_s: 20\n",
            ":2: retries.base_delay_s: is more than max_delay_s, 8",
        ),
        (
            "retries:\n  base_delay_s: 2\n  max_delay_s: 0.5\n",
            ":2: retries.base_delay_s: is more than max_delay_s, 0.5",
        ),
        ("breaker:\n  max_open_s: 1\n", ":2: breaker.max_open_s: is less than open_s, 2"),
        (
            "breaker:\n  open_s: 30\n  max_open_s: 20\n",
            ":3: breaker.max_open_s: is less than open_s, 30",
        ),
    ],
)
def test_a_longest_time_below_the_first_is_refused(tmp_path: Path, text: str, says: str):
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text)
    assert f"headgate.yaml{says}" in refused.value.message


def test_a_longest_pause_alone_cuts_the_first_one_too(tmp_path: Path):
    assert load(tmp_path, "retries: {max_delay_s: 0}\n").retries.max_delay_s == 0


def test_a_target_may_be_left_alone_for_longer_than_the_default_allows(tmp_path: Path):
    assert load(tmp_path, "breaker: {open_s: 60}\n").breaker.open_s == 60

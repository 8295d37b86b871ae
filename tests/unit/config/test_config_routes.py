"""A ladder that would ask the same target again, or never ask one, is refused before a call."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.config.load import load_settings
from headgate.errors import ConfigError

ROUTE = """\
providers:
  one: {base_url: "https://one.example/v1"}
routes:
  r:
    larger_context: {provider: one, model: big}
    targets:
"""


def test_what_is_too_long_for_the_only_target_is_not_asked_of_it_again(tmp_path: Path):
    (tmp_path / "headgate.yaml").write_text(f"{ROUTE}      - {{provider: one, model: big}}\n")
    with pytest.raises(ConfigError, match=r":5: routes\.r\.larger_context\.model: is the route's"):
        load_settings(tmp_path, {})


def test_the_larger_target_may_stand_further_down_in_the_ladder(tmp_path: Path):
    rungs = "".join(f"      - {{provider: one, model: {name}}}\n" for name in ("small", "big"))
    (tmp_path / "headgate.yaml").write_text(ROUTE + rungs)
    assert load_settings(tmp_path, {}).routes["r"].larger_context is not None


def test_a_rule_that_no_request_fits_is_refused(tmp_path: Path):
    (tmp_path / "headgate.yaml").write_text("""\
providers:
  one: {base_url: "https://one.example/v1"}
routes:
  r:
    strategy: tiered
    targets:
      - provider: one
        model: small
        when:
          needs: [tools, vision]
          without: [tools]
      - {provider: one, model: big}
""")
    with pytest.raises(ConfigError) as refused:
        load_settings(tmp_path, {})
    said = ":11: routes.r.targets[0].when.without: no request fits: `needs` asks for tools too"
    assert said in refused.value.message


def test_a_share_that_only_the_fastest_strategy_reads_is_refused_elsewhere(tmp_path: Path):
    explores = ROUTE.replace("    larger_context: {provider: one, model: big}", "    {0}")
    target = "      - {provider: one, model: small}\n"
    text = explores.replace("{0}", "explore_share: 0.2") + target
    (tmp_path / "headgate.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r":5: routes\.r\.explore_share: needs `strategy: fast"):
        load_settings(tmp_path, {})
    (tmp_path / "headgate.yaml").write_text(text + "    strategy: fastest\n")
    assert load_settings(tmp_path, {}).routes["r"].explore_share == 0.2

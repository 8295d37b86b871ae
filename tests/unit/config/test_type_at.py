"""A wrong value is told with those that may stand there, and a pattern with what it is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.config.settings import Settings
from headgate.config.workflow import WorkflowSettings
from headgate.config.yaml_file import YamlFile
from headgate.errors import ConfigError


def told(kind: type, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        YamlFile(Path("x.yaml"), text).into(kind)
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("trust: maybe", "trust: invalid enum value 'maybe'; write one of trusted, untrusted"),
        ("tools: {a: {effect: x}}", "effect: invalid enum value 'x'; write one of read, write"),
        ("tools: {a: {callers: {roles: [x]}}}", "write one of admin, app, developer, operator"),
        (
            "tools: {a: {approval: x}}",
            "invalid enum value 'x'; write one of always, never, an object with when",
        ),
        ("version: 1.0", "version: expected `str`, got `float`; write it in quotes"),
        ("tools: {a: {source: x}}", "it is: `SOURCE/TOOL` of `tools` in headgate.yaml"),
        ("tools: {a: {per_run: 0}}", "tools.a.per_run: expected `int` >= 1"),
    ],
)
def test_what_may_be_written_is_told(text, says):
    line = text.partition(":")[0]
    rest = [f"{one}\n" for one in ("version: 1.0.0", "owner: me", "route: x")]
    kept = "".join(one for one in rest if not one.startswith(f"{line}:"))
    assert says in told(WorkflowSettings, f"{kept}{text}\n")


def test_a_kind_that_there_is_not_is_told_with_those_there_are():
    source = "tools: {x: {kind: smtp, base_url: 'http://x', tools: {}}}"
    assert told(Settings, source).endswith(
        "tools.x.kind: invalid value 'smtp'; write one of http, openapi, mcp"
    )

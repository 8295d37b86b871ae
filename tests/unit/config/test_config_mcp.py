"""What is written of an MCP server is held to what can be meant."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from headgate.config.load import load_settings
from headgate.config.policy import effective_policy
from headgate.errors import ConfigError


def loaded(folder: Path, **source: object):
    tools = {"desk": {"kind": "mcp", "tools": {"find": {}}, **source}}
    # JSON is YAML.
    (folder / "headgate.yaml").write_text(json.dumps({"tools": tools}), "utf-8")
    return load_settings(folder, {})


@pytest.mark.parametrize(
    "source",
    [
        {"url": "https://desk.example/mcp?key=1", "headers": {"Authorization": "Bearer x"}},
        {"url": "http://[::1]:8000"},
        {"command": ["desk", ""], "environment": {"TOKEN": ""}},
    ],
)
def test_a_server_that_can_be_meant_is_accepted(tmp_path: Path, source):
    assert loaded(tmp_path, **source).tools["desk"].tools


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ({}, "tools.desk: write one of `url` and `command`"),
        ({"url": "http://a/", "command": ["b"]}, "desk.command: write one of"),
        ({"url": "ftp://a/"}, "desk.url: write an http:// or https:// address"),
        ({"url": "a/mcp"}, "desk.url: write an http:// or https:// address"),
        ({"url": "https://me:pw@a/mcp"}, "desk.url: leave out user"),
        ({"url": "https://a/mcp#x"}, "desk.url: leave out user"),
        ({"url": "https://a/mcp?x#y"}, "desk.url: has characters that must be percent-encoded"),
        ({"url": "https://a/ä"}, "desk.url: has characters that must be percent-encoded"),
        ({"url": "https://a/?b c"}, "desk.url: has characters that must be percent-encoded"),
        ({"url": "http://a/", "environment": {"A": "b"}}, "desk.environment: is for a `command`"),
        ({"url": "http://a/", "headers": {"Host": "b"}}, "desk.headers.Host: is no header"),
        ({"url": "http://a/", "headers": {"MCP-Session-Id": "b"}}, "Session-Id: is no header"),
        ({"url": "http://a/", "headers": {"Accept": "b"}}, "desk.headers.Accept: is no header"),
        ({"url": "http://a/", "headers": {"X-A": "s3\ncret"}}, "headers.X-A: has characters"),
        ({"command": ["b"], "headers": {"X-A": "b"}}, "desk.headers: is for a `url`"),
        ({"command": [""]}, "desk.command[0]: say which program"),
        ({"command": ["b", "\0"]}, "desk.command[1]: has a character that can't be passed"),
        ({"command": ["b"], "environment": {"A=B": "c"}}, "is no variable's name"),
        ({"command": ["b"], "environment": {"A": "s3\0cret"}}, "environment.A: has a character"),
        ({"command": ["b"], "tools": {"find": {"sha256": "abc"}}}, "find.sha256"),
        ({"command": ["b"], "tools": {}}, "desk.tools"),
    ],
)
def test_a_server_that_can_not_be_meant_is_refused_with_its_field(tmp_path: Path, source, what):
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, **source)
    assert what in refused.value.message
    assert "headgate.yaml:1:" in refused.value.message
    assert "s3" not in refused.value.message


def test_a_server_without_mcp_sources_loads_nothing_for_them():
    code = (
        "import sys, headgate.app, headgate.workflows.tools.shelf\n"
        "print([name for name in sys.modules if '.mcp' in name and 'checks' not in name])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"


def test_the_policy_shows_neither_headers_nor_a_query_nor_the_environment(tmp_path: Path):
    for source in (
        {"url": "https://desk.example/mcp?key=s3cret", "headers": {"X-Token": "s3cret"}},
        {"command": ["desk"], "environment": {"TOKEN": "s3cret"}},
    ):
        settings = loaded(tmp_path, **source)
        policy = effective_policy(settings, providers={}, simulated=[], database_url="sqlite://")
        assert "s3cret" not in str(policy)
        assert "desk" in str(policy["tools"])

"""docs/how-to/use-mcp-servers.md: its server runs, its files load, its digest is the right one."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from commands import Ran, ran
from headgate.config.load import load_settings
from headgate.workflows.tools.mcp.session import HANDSHAKES, STATELESS
from headgate.workflows.tools.mcp.wire import NEVER_DONE
from headgate.workflows.tools.shelf import build_tools
from mcp_servers import called

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "use-mcp-servers.md"
FILE = re.compile(
    r"<!-- mcp: (?P<name>\S+) -->\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)

Typed = Callable[..., Ran]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """The page's files, with this machine's paths; its server is there."""
    found = {file["name"]: file["text"] for file in FILE.finditer(PAGE.read_text("utf-8"))}
    (tmp_path / "server.py").write_text(found["server.py"], "utf-8")
    return {
        name: text.replace("/opt/orders/.venv/bin/python", sys.executable).replace(
            "/opt/orders/server.py", str(tmp_path / "server.py")
        )
        for name, text in found.items()
    }


@pytest.fixture
def headgate(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Type a command; its exit status, output and notes."""
    monkeypatch.delenv("HEADGATE_PROJECT", raising=False)
    monkeypatch.setenv("COLUMNS", "200")

    def typed(*arguments: Any) -> Ran:
        return ran(capsys, arguments)

    return typed


def write(folder: Path, text: str) -> None:
    (folder / "headgate.yaml").write_text(text, "utf-8")


def test_check_prints_the_digest_that_the_page_shows(files, tmp_path: Path, headgate: Typed):
    write(tmp_path, files["headgate.yaml"])
    status, out, _ = headgate("check", tmp_path, "--tools", "--json")
    assert status == 0
    tools = {tool["name"]: tool for tool in msgspec.json.decode(out)["tools"]}
    assert tools["orders/find_order"]["description"] == "Find an order by its number."
    assert tools["orders/find_order"]["parameters"]["required"] == ["number"]
    assert f"sha256: {tools['orders/find_order']['sha256']}\n" in files["pinned.yaml"]
    assert set(tools) == {"orders/find_order", "orders/cancel_order"}


def test_check_prints_a_line_for_each_tool(files, tmp_path: Path, headgate: Typed):
    write(tmp_path, files["pinned.yaml"])
    status, out, _ = headgate("check", tmp_path, "--tools")
    assert status == 0
    assert re.search(r"orders/find_order\s+[0-9a-f]{64}\s+yes\s+Find an order", out)


def test_check_fails_when_the_server_has_changed_the_tool(files, tmp_path: Path, headgate: Typed):
    write(tmp_path, files["pinned.yaml"])
    server = tmp_path / "server.py"
    server.write_text(server.read_text("utf-8").replace("by its number.", "and pay it."), "utf-8")
    status, out, _ = headgate("check", tmp_path, "--tools")
    assert status == 1
    problem = re.search(r"orders\.tools\.find_order\.sha256: .* write ([0-9a-f]{64})", out)
    assert problem is not None
    text = re.sub(r"sha256: [0-9a-f]{64}", f"sha256: {problem[1]}", files["pinned.yaml"])
    write(tmp_path, text)
    assert headgate("check", tmp_path, "--tools")[0] == 0


def test_check_names_a_tool_and_a_server_that_are_not_there(files, tmp_path: Path, headgate: Typed):
    missing = files["headgate.yaml"].replace("find_order:", "find_oder:")
    write(tmp_path, missing + "  gone: { kind: mcp, command: [/no/such], tools: { a: {} } }\n")
    status, out, _ = headgate("check", tmp_path, "--tools")
    assert status == 1
    assert "tools.orders.tools.find_oder: the server has no such tool; it has find_order" in out
    assert "tools.gone: the command can't be started (No such file" in out


def test_check_alone_starts_nothing(files, tmp_path: Path, headgate: Typed):
    write(tmp_path, "tools: { gone: { kind: mcp, command: [/no/such], tools: { a: {} } } }\n")
    assert headgate("check", tmp_path)[0] == 0


async def test_the_tools_of_the_page_do_what_it_says(files, tmp_path: Path):
    write(tmp_path, files["pinned.yaml"])
    shelf = build_tools(load_settings(tmp_path, {}).tools, tmp_path)
    answer = await called(shelf.get("orders/find_order"), number="4711")
    await shelf.close()
    assert answer.content == {"number": "4711", "status": "shipped"}
    write(tmp_path, files["headgate.yaml"])
    shelf = build_tools(load_settings(tmp_path, {}).tools, tmp_path)
    cancel = shelf.get("orders/cancel_order")
    # The same key is the same call: the server answers what it answered before.
    answers = [await called(cancel, number=number) for number in ("1", "2")]
    await shelf.close()
    assert [answer.content for answer in answers] == ["order 1 is cancelled"] * 2


def test_the_page_names_the_versions_and_errors_of_the_code():
    page = " ".join(PAGE.read_text("utf-8").split())
    assert f"from {HANDSHAKES[-1]} to {HANDSHAKES[0]} are spoken, and {STATELESS}" in page
    named = re.search(r"\| error ((?:-32\d{3}, )*-32\d{3});", page)
    assert named is not None
    assert set(named[1].split(", ")) == {str(code) for code in NEVER_DONE}

"""MCP servers as processes that start badly, say nonsense, or do not end."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from headgate.config.tools import McpToolSource
from headgate.workflows.tools.mcp.session import McpSession
from headgate.workflows.tools.mcp.wire import LostError
from headgate.workflows.tools.tool import Tool, ToolUnavailableError
from mcp_servers import Helpdesk, called, children, source_of, tools_of


@pytest.fixture
async def tool_of() -> AsyncIterator[Callable[..., Tool]]:
    """A function that makes the tool `lookup` of a command; at the end no process is left."""
    before = children()
    made: list[Tool] = []

    def make(*command: str, **fields: object) -> Tool:
        tools = tools_of(command=list(command), **{"tools": ["lookup"], **fields})
        made.extend(tools.values())
        return next(iter(tools.values()))

    yield make
    for tool in made:
        await tool.close()
    assert children() == before


def python(text: str) -> tuple[str, str, str]:
    return (sys.executable, "-c", text)


async def test_a_command_that_is_not_there_says_so(tool_of):
    tool = tool_of("/no/such/program")
    with pytest.raises(ToolUnavailableError, match=r"can't be started \(No such file"):
        await tool.spec()
    assert (await called(tool)).outcome == "failed"


async def test_a_command_that_ends_at_once_says_so(tool_of):
    with pytest.raises(ToolUnavailableError, match="process has ended"):
        await tool_of(*python("")).spec()


async def test_a_command_that_says_nothing_is_given_up_in_time(tool_of):
    began = time.monotonic()
    with pytest.raises(ToolUnavailableError, match=r"within 0\.5 s"):
        await tool_of(*python("import time; time.sleep(60)"), connect_s=0.5).spec()
    assert time.monotonic() - began < 10


async def test_a_command_that_talks_without_end_is_given_up(tool_of):
    text = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    with pytest.raises(ToolUnavailableError, match="too large"):
        await tool_of(*python(text)).spec()


async def test_a_command_that_does_not_want_to_end_is_ended(tool_of):
    text = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "time.sleep(60)"
    )
    tool = tool_of(*python(text), connect_s=0.5)
    with pytest.raises(ToolUnavailableError):
        await tool.spec()
    began = time.monotonic()
    await tool.close()
    assert time.monotonic() - began < 8


async def test_lines_that_are_no_messages_are_passed_over(tool_of, tmp_path: Path):
    (tmp_path / "greets").touch()
    answer = await called(tool_of(*Helpdesk(tmp_path).command), customer="c-7")
    assert answer.outcome == "done"


async def test_a_command_sees_only_what_it_was_given(tool_of, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-must-not-be-seen")
    command = Helpdesk(tmp_path).command
    tool = tool_of(*command, tools=["environment"], environment={"TOKEN": "t"})
    assert set((await called(tool)).content.split(",")) - {"LC_CTYPE"} == {"PATH", "TOKEN"}


async def test_what_a_command_writes_to_its_standard_error_is_not_shown(tool_of, capfd):
    with suppress(ToolUnavailableError):
        await tool_of(*python("import sys; sys.stderr.write('a customer')")).spec()
    assert "a customer" not in capfd.readouterr().err


async def test_what_would_be_sent_shows_the_program_and_not_its_arguments(tool_of):
    sent = tool_of("npx", "-y", "server", "--token", "s3cret").sent({"a": 1}, "key")
    assert sent.summary == "lookup of the MCP server `npx …`"
    assert "s3cret" not in str(sent.details)


async def test_a_server_that_can_not_be_reached_is_tried_again_after_growing_pauses():
    now = 0.0
    source = source_of(command=["/no/such/program"], tools=["lookup"])
    session = McpSession(source, clock=lambda: now)
    pauses = []
    for _ in range(10):
        with pytest.raises(LostError, match="can't be started"):
            await session.listing()
        with pytest.raises(LostError, match="tried again in") as refused:
            await session.listing()
        pause_s = float(refused.value.message.rpartition(" in ")[2].removesuffix(" s"))
        pauses.append(pause_s)
        now += pause_s
    await session.close()
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30]


async def test_a_server_is_asked_again_what_it_lists_after_five_minutes(tmp_path: Path):
    now = 0.0
    desk = Helpdesk(tmp_path)
    source: McpToolSource = source_of(command=desk.command, tools=["lookup"])
    session = McpSession(source, clock=lambda: now)
    first = await session.listing()
    now = 299.0
    assert await session.listing() is first
    now = 301.0
    assert await session.listing() is not first
    await session.close()


def test_it_works_on_the_loop_that_the_server_runs_on(tmp_path: Path):
    uvloop = pytest.importorskip("uvloop")

    async def use_it() -> list[object]:
        tools = tools_of(command=Helpdesk(tmp_path).command, tools=["lookup", "die", "slow"])
        answers = [
            await called(tools["lookup"], customer="one"),
            await called(tools["slow"], timeout_s=1, seconds=30),
            await called(tools["die"]),
            await called(tools["lookup"], customer="two"),
        ]
        for tool in tools.values():
            await tool.close()
        return [answer.outcome for answer in answers]

    before = children()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(use_it()) == ["done", "unknown", "unknown", "done"]
    assert children() == before


async def test_many_that_ask_at_once_start_one_process(tmp_path: Path):
    desk = Helpdesk(tmp_path)
    tools = tools_of(command=desk.command, tools=["lookup", "big"])
    await asyncio.gather(*(tools["lookup"].spec() for _ in range(20)))
    assert desk.did() == ["start"]
    await tools["lookup"].close()
    assert (await called(tools["big"], size=1)).outcome == "done"  # one still needs it
    await tools["big"].close()
    await tools["big"].close()
    assert (await called(tools["big"], size=1)).outcome == "failed"


async def test_closing_while_it_is_started_leaves_no_process(tmp_path: Path):
    before = children()
    tool = tools_of(command=Helpdesk(tmp_path).command, tools=["lookup"])["lookup"]
    asking = asyncio.create_task(tool.spec())
    await asyncio.sleep(0.1)
    await tool.close()
    with pytest.raises((ToolUnavailableError, asyncio.CancelledError)):
        await asking
    assert children() == before

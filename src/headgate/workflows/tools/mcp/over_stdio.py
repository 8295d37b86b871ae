"""An MCP server as a process of our own: JSON on its standard input and output, line by line."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any

from headgate.workflows.tools.mcp.wire import (
    Heard,
    LostError,
    Request,
    answer_to,
    decoded,
    is_answer,
    notification,
    result_of,
    too_large,
)

_LEAVES_WITHIN_S = 2.0
"""How long a process may take to end after its input has, and again after SIGTERM."""
_DIES_WITHIN_S = 1.0


class StdioConnection:
    """A process that is started, spoken to and ended.

    It sees `environment` and PATH, and nothing else of ours. What it writes to its standard error
    is thrown away, since it may be contents, unless `shows_errors`.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        limit_bytes: int,
        heard: Heard,
        shows_errors: bool = False,
    ) -> None:
        """`limit_bytes` is the longest line that is read; after a longer one it is broken."""
        self._command = command
        self._environment = {"PATH": os.environ.get("PATH", os.defpath), **environment}
        self._limit_bytes = limit_bytes
        self._heard = heard
        self._shows_errors = shows_errors
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[dict[str, Any] | LostError]] = {}
        self._end: LostError | None = None

    @property
    def broken(self) -> bool:
        """Whether the process has ended, or is not understood any more."""
        return self._end is not None

    async def open(self) -> None:
        """Start the process. Raises `LostError`."""
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=None if self._shows_errors else asyncio.subprocess.DEVNULL,
                env=self._environment,
                limit=self._limit_bytes,
                start_new_session=True,  # so that what it starts can be ended with it
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise LostError(
                f"the command can't be started ({reason or 'not a command'})",
                "not_started",
                may_have_arrived=False,
            ) from None
        self._reading = asyncio.create_task(self._read(self._process))

    def speak(self, version: str, *, stateless: bool) -> None:
        """Nothing: only HTTP says the version with each message."""

    def listen(self) -> None:
        """Nothing: what the server says by itself comes the same way."""

    async def request(self, request: Request) -> Any:
        """The result. Raises `RefusedError` or `LostError`."""
        if self._end is not None:
            raise LostError(self._end.message, self._end.code, may_have_arrived=False)
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[request.number] = waiting
        try:
            request.sent = True
            await self._write(request.encoded())
            answer = await waiting
        finally:
            self._waiting.pop(request.number, None)
        if isinstance(answer, LostError):
            raise LostError(answer.message, answer.code, may_have_arrived=True)
        return result_of(answer)

    async def notify(self, method: str, params: dict[str, Any]) -> None:
        """Tell the process something."""
        if self._end is None:
            await self._write(notification(method, params))

    async def close(self) -> None:
        """End the process: its input ends, then SIGTERM, then SIGKILL, each after two seconds."""
        self._break(LostError("the connection is closed", "closed", may_have_arrived=True))
        process, self._process = self._process, None
        reading, self._reading = self._reading, None
        if process is None:
            return
        try:
            if process.stdin is not None:
                process.stdin.close()
            for ending in (signal.SIGTERM, signal.SIGKILL, None):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), _LEAVES_WITHIN_S)
                    break
                if ending is None or process.returncode is not None:
                    break  # it is gone; one that it left behind holds its output
                _signal(process, ending)
        finally:
            if process.returncode is None:
                _signal(process, signal.SIGKILL)
            # Nothing public closes the pipes that a grandchild may still hold.
            process._transport.close()  # type: ignore[attr-defined] # noqa: SLF001
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _DIES_WITHIN_S)
            if reading is not None:
                reading.cancel()
                await asyncio.wait([reading])

    async def _write(self, line: bytes) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        try:
            process.stdin.write(line + b"\n")
            await process.stdin.drain()
        except (OSError, RuntimeError):
            self._break(_gone())

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        end = _gone()
        try:
            while line := await process.stdout.readline():
                # Lines that are no message are left out: some servers greet on their output.
                if (message := decoded(line)) is not None:
                    await self._take(message)
        except ValueError:
            end = too_large()  # whose answer it was is not known, nor where the next line begins
        except OSError:
            pass
        finally:
            self._break(end)

    async def _take(self, message: dict[str, Any]) -> None:
        if is_answer(message):
            number = message.get("id")
            waiting = self._waiting.get(number) if isinstance(number, int) else None
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
        elif (answer := answer_to(message, self._heard)) is not None:
            await self._write(answer)

    def _break(self, end: LostError) -> None:
        self._end = self._end or end
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(self._end)


def _gone() -> LostError:
    return LostError("the server's process has ended", "process_ended", may_have_arrived=True)


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """To the process and all that it started; it is the leader of their group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)

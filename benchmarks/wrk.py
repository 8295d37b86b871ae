"""How many replies reach wrk? Runs the load generator wrk, where it is installed."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.payloads import NUMBER, numbered_from_now
from benchmarks.processes import BenchmarkError

TIMEOUT_S: Final = 30
"""wrk counts a reply as lost after so long; a slow gateway at 128 connections needs seconds."""

_MARK: Final = "figures "
_DONE: Final = """
done = function(summary, latency, requests)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write
    + summary.errors.status + summary.errors.timeout
  io.write(string.format(
    '%s{"replies": %%d, "duration_us": %%d, "p50_us": %%d, "p99_us": %%d, "errors": %%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), failed))
end
"""


_NUMBERED: Final = """
local before, after, number = %s, %s, %d
request = function()
  number = number + 1
  return wrk.format(nil, nil, nil, before .. string.format("%%0%dd", number) .. after)
end
"""


@dataclass(frozen=True)
class WrkFigures:
    """What wrk saw: replies in a time, and the latency that half and 99 % of them kept."""

    replies: int
    duration_us: int
    p50_us: int
    p99_us: int
    errors: int


def installed() -> bool:
    """Tell whether wrk is on the path."""
    return shutil.which("wrk") is not None


def script(headers: dict[str, str], body: bytes) -> str:
    """Return wrk's Lua script, which posts ``body`` and prints the figures as JSON.

    A body that holds `NUMBER` gets another number each time.
    """
    lines = ['wrk.method = "POST"', f"wrk.body = {_quoted(body.decode())}"]
    fields = {"Content-Type": "application/json", **headers}
    lines += [f"wrk.headers[{_quoted(name)}] = {_quoted(value)}" for name, value in fields.items()]
    before, number, after = body.decode().partition(NUMBER)
    if number:
        lines.append(
            _NUMBERED % (_quoted(before), _quoted(after), numbered_from_now(), len(NUMBER))
        )
    return "\n".join(lines) + _DONE % _MARK


def parse(output: str) -> WrkFigures:
    """Return the figures in what wrk printed. Raises BenchmarkError where they are missing."""
    for line in output.splitlines():
        if line.startswith(_MARK):
            return WrkFigures(**json.loads(line[len(_MARK) :]))
    raise BenchmarkError(f"wrk printed no figures: {output[-400:]}")


async def load(
    url: str,
    headers: dict[str, str],
    body: bytes,
    *,
    connections: int,
    duration_s: float,
    folder: Path,
) -> WrkFigures:
    """Run wrk with one thread for at least a second. Raises BenchmarkError where it fails."""
    path = folder / "wrk.lua"
    path.write_text(script(headers, body))
    process = await asyncio.create_subprocess_exec(
        "wrk",
        *("--threads", "1", "--connections", str(connections)),
        *("--duration", f"{max(1, round(duration_s))}s", "--timeout", f"{TIMEOUT_S}s"),
        *("--script", str(path), url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), duration_s + TIMEOUT_S)
    if process.returncode:
        raise BenchmarkError(f"wrk failed: {output.decode(errors='replace')[-400:]}")
    return parse(output.decode(errors="replace"))


def _quoted(text: str) -> str:
    """Return ``text`` as a Lua long string, which needs no escapes."""
    if "]==]" in text:
        raise BenchmarkError("the text holds Lua's closing bracket")
    # The blank keeps an index's own bracket from joining in.
    return f" [==[{text}]==]"

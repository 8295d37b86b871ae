"""Gathers all parts of a run's context at once, each within its own time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from headgate.config.context import ContextPartSettings
from headgate.context.arguments import arguments_of
from headgate.context.connector import ArgumentError, ConnectorError, NoRecordError
from headgate.context.connectors import Connectors
from headgate.context.narrowing import Record
from headgate.gateway.caller import Caller
from headgate.telemetry.faults import log_fault

Absence = Literal["not_allowed", "no_argument", "no_record", "unavailable"]
"""Why a part is not there. `not_allowed`: not for this caller's runs. `no_argument`: the input has
not what it is asked with. `no_record`: there is none. `unavailable`: nothing came that fits."""

_AT_ONCE_AT_MOST = 16


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of one part; `value` alone holds contents."""

    name: str
    source: str
    """The connector and its operation."""
    trusted: bool = False
    started_at_us: int = 0
    duration_us: int = 0
    records: int = 0
    cut: bool = False
    """Whether there were more records than were taken."""
    absent: Absence | None = None
    told: str = ""
    """Why, in words; it may name fields and holds nothing of what stood there."""
    retryable: bool = False
    value: Record | list[Record] | None = None


class Gathered(msgspec.Struct, frozen=True):
    """What came of all parts, in the order in which they are declared."""

    parts: tuple[Part, ...]

    @property
    def values(self) -> dict[str, Any]:
        """The context object: the parts that are there, by name."""
        return {part.name: part.value for part in self.parts if part.absent is None}

    @property
    def holds_untrusted(self) -> bool:
        """Whether something in it was written by people outside."""
        return any(part.absent is None and not part.trusted for part in self.parts)


def is_allowed(part: ContextPartSettings, caller: Caller) -> bool:
    """Whether the runs of `caller` get the part."""
    by_role = part.roles is None or caller.role in part.roles
    return by_role and (part.projects is None or caller.project in part.projects)


async def gather(
    declared: Mapping[str, ContextPartSettings],
    given: dict[str, Any],
    caller: Caller,
    connectors: Connectors,
) -> Gathered:
    """Ask for all parts at once; a part that can't be had says why, and stops no other."""
    turns = asyncio.Semaphore(_AT_ONCE_AT_MOST)

    async def one(name: str, part: ContextPartSettings) -> Part:
        async with turns:
            return await _part(name, part, given, caller, connectors)

    async with asyncio.TaskGroup() as tasks:
        begun = [tasks.create_task(one(name, part)) for name, part in declared.items()]
    return Gathered(tuple(task.result() for task in begun))


async def _part(
    name: str,
    part: ContextPartSettings,
    given: dict[str, Any],
    caller: Caller,
    connectors: Connectors,
) -> Part:
    started_at_us, started_ns = time.time_ns() // 1000, time.perf_counter_ns()
    facts: dict[str, Any] = {}
    if not is_allowed(part, caller):
        facts = {"absent": "not_allowed", "told": "is not for the runs of this key"}
    else:
        try:
            arguments = arguments_of(part.arguments, given)
            found = await connectors.ask(part.source, arguments, part.fields, part.timeout_s)
            facts = {"records": found.records, "cut": found.cut, "value": found.value}
        except ArgumentError as error:
            facts = {"absent": "no_argument", "told": str(error)}
        except NoRecordError as error:
            facts = {"absent": "no_record", "told": str(error)}
        except ConnectorError as error:
            facts = {"absent": "unavailable", "told": str(error), "retryable": error.retryable}
        except Exception as error:  # noqa: BLE001 - one part's fault takes no other part with it
            log_fault("a connector failed", error, source=part.source)
            facts = {"absent": "unavailable", "told": "Headgate failed to ask for it; see its log"}
    return Part(
        name=name,
        source=part.source,
        trusted=part.trust == "trusted",
        started_at_us=started_at_us,
        duration_us=(time.perf_counter_ns() - started_ns) // 1000,
        **facts,
    )

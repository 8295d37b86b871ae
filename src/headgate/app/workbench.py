"""Makes a project ready in this process, to run its workflows where no server is wanted.

All that a server has stands here too, but the sockets: keys aside, a run goes the same way.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec

from headgate.app.composition import build
from headgate.app.plan import SIMULATOR_URL, Plan, read_plan
from headgate.app.preparation import prepare_without_keys
from headgate.cli.main import Workbench
from headgate.evals.packs import ATTACKS
from headgate.intake.access.projects import DEFAULT_PROJECT
from headgate.telemetry.logs import configure_logs


@contextlib.asynccontextmanager
async def workbench(folder: Path | None) -> AsyncIterator[Workbench]:
    """The project in `folder`, started, and stopped at the end. Raises `HeadgateError`."""
    plan = _quiet(read_plan(folder))
    configure_logs(plan.settings.logs.level)
    prepare_without_keys(plan)
    with contextlib.ExitStack() as stack:
        if plan.simulated:
            address = stack.enter_context(_gullible_simulator())
            plan = _quiet(read_plan(folder, os.environ | {SIMULATOR_URL: address}))
        application = build(plan)
        await application.start()
        try:
            yield Workbench(
                runner=application.runner,
                projects=frozenset((DEFAULT_PROJECT, *plan.settings.projects)),
                simulated=plan.simulated,
            )
        finally:
            await application.stop()


def _quiet(plan: Plan) -> Plan:
    """`plan` without a log line a call, which would bury what a command prints."""
    logs = msgspec.structs.replace(plan.settings.logs, calls="none", level="error")
    return msgspec.structs.replace(plan, settings=msgspec.structs.replace(plan.settings, logs=logs))


@contextlib.contextmanager
def _gullible_simulator() -> Iterator[str]:
    """The address of a simulator in this process that falls for the attacks of our own pack."""
    from headgate.simulator import SimulatorConfig, serve_in_thread  # noqa: PLC0415 - as a server

    config = SimulatorConfig(gullible=str(ATTACKS), tokens_per_s=0)
    with serve_in_thread(config) as simulator:
        yield simulator.base_url

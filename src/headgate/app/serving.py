"""`headgate serve`: prepares the database, starts the simulator where needed, runs the workers.

What a worker is made of is imported by who makes one: a mistake in the configuration is told before
all that is loaded, and the process that looks after several workers never loads it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

import uvicorn

from headgate import __version__
from headgate.app.garbage import look_seldom
from headgate.app.plan import SIMULATOR_URL, Plan, read_plan
from headgate.app.processes import Server, Workers, end_soon
from headgate.cli.main import ServeOptions
from headgate.config.checks.short_keys import short_key_warnings
from headgate.errors import ConfigError, HeadgateError
from headgate.intake.http.server_protocol import ServerProtocol
from headgate.intake.sockets.protocol import socket_protocol
from headgate.telemetry.logs import configure_logs

if TYPE_CHECKING:
    from headgate.app.application import Application

_FOLDER = "HEADGATE_PROJECT"
_MAIN_PID = "HEADGATE_MAIN_PID"
"""Tells the workers, in their environment, whose they are."""
_BACKLOG = 2048
_KEEP_ALIVE_S = 75
"""Longer than the SDKs' connection pools keep an idle connection, so that they close first."""

_log = logging.getLogger(__name__)


def serve(options: ServeOptions) -> None:
    """Run a server until it is told to stop (SIGINT, SIGTERM). Raises `HeadgateError`."""
    plan = read_plan(options.folder)
    configure_logs(plan.settings.logs.level)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listening(options.host, options.port))
        from headgate.app.preparation import prepare  # noqa: PLC0415 - see above

        admin_key = prepare(plan, os.environ.get("HEADGATE_ADMIN_KEY") or None)
        if admin_key is not None:
            # At once: whatever fails after this, nobody could ever see the key again.
            _say(f"Admin key, shown only this once: {admin_key}")
        if plan.simulated:
            os.environ[SIMULATOR_URL] = stack.enter_context(_simulator())
            plan = read_plan(options.folder)
        # uvicorn raises the signal that stopped it once more when it has stopped; by default that
        # would end the process before this block has cleaned up.
        signal.signal(signal.SIGTERM, _leave)
        signal.signal(signal.SIGINT, _leave)
        application = None
        if options.workers == 1:
            from headgate.app.composition import build  # noqa: PLC0415 - see above

            application = build(plan)
            application.on_stopped = end_soon
        else:
            _check_workflows(plan)
        # Only now: who says that it listens must not be about to fail.
        _announce(plan, listener)
        stack.callback(_log.info, "stopped")
        if application is not None:
            Server(_config(plan, application)).run(sockets=[listener])
        else:
            stack.enter_context(_shared_metrics())
            if plan.folder is not None:
                os.environ[_FOLDER] = str(plan.folder.resolve())
            os.environ[_MAIN_PID] = str(os.getpid())
            Workers(_config(plan, None, workers=options.workers), [listener]).run()


def worker() -> Application:
    """What each of several worker processes serves; it reads the plan anew."""
    look_seldom()
    folder = os.environ.get(_FOLDER)
    plan = read_plan(Path(folder) if folder else None)
    configure_logs(plan.settings.logs.level)
    from headgate.app.composition import build  # noqa: PLC0415 - see above

    try:
        # Not `os.getppid()`: a worker that starts while the main process is killed has another by
        # then.
        application = build(plan, parent_pid=int(os.environ[_MAIN_PID]))
    except HeadgateError as error:
        _log.error("the worker could not start", extra={"reason": error.message})
        sys.exit(1)
    application.on_stopped = end_soon
    return application


def _check_workflows(plan: Plan) -> None:
    """Raise what each worker would fail of: a worker that has failed is started again for ever."""
    from headgate.app.reviewing import check_groups  # noqa: PLC0415 - see above
    from headgate.cli.references import guard_problems  # noqa: PLC0415
    from headgate.workflows.catalogue import Catalogue  # noqa: PLC0415
    from headgate.workflows.durable.webhook_check import check_webhooks  # noqa: PLC0415
    from headgate.workflows.semantic_checks import check_semantic  # noqa: PLC0415
    from headgate.workflows.tools.boxes import boxes_of  # noqa: PLC0415
    from headgate.workflows.tools.shelf import build_tools  # noqa: PLC0415

    catalogue = Catalogue.load(plan.folder, plan.settings.connectors)
    check_groups(plan.settings, catalogue)
    check_semantic(plan.settings, plan.folder, plan.providers, catalogue)
    check_webhooks(plan.settings.runs, catalogue)
    _, problems = boxes_of(catalogue, build_tools(plan.settings.tools, plan.folder))
    if plan.settings.guard_policies:
        problems = [*problems, *guard_problems(plan.settings, plan.folder)]
    if problems:
        raise ConfigError(problems[0], problems=tuple(problems))


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(_BACKLOG)
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no such port"
            raise ConfigError(
                f"cannot listen on {host} port {port}: {reason}; choose another with --host, --port"
            ) from None
        listener.set_inheritable(True)
        yield listener
    finally:
        listener.close()


@contextlib.contextmanager
def _simulator() -> Iterator[str]:
    """The address of a simulator in this process."""
    # A server that has a real provider never loads it.
    from headgate.simulator import SimulatorConfig, serve_in_thread  # noqa: PLC0415

    with serve_in_thread(SimulatorConfig()) as simulator:
        yield simulator.base_url


@contextlib.contextmanager
def _shared_metrics() -> Iterator[None]:
    """A folder in which the workers leave their figures, for whichever is asked to add up."""
    from headgate.telemetry.metrics import FOLDER_VARIABLE  # noqa: PLC0415 - see above

    folder = tempfile.mkdtemp(prefix="headgate-metrics-")
    os.environ[FOLDER_VARIABLE] = folder
    try:
        yield
    finally:
        del os.environ[FOLDER_VARIABLE]
        shutil.rmtree(folder, ignore_errors=True)


def _config(plan: Plan, application: Application | None, workers: int = 1) -> uvicorn.Config:
    client_idle_s = plan.settings.server.client_idle_s
    return uvicorn.Config(
        application or "headgate.app.serving:worker",
        factory=application is None,
        workers=workers,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        # Both are called as the class would be.
        http=cast("type[asyncio.Protocol]", partial(ServerProtocol, client_idle_s=client_idle_s)),
        ws=cast("type[asyncio.Protocol]", partial(socket_protocol, client_idle_s=client_idle_s)),
        ws_max_size=plan.settings.sockets.max_message_bytes,
        # Compressed, a socket costs 300 KB, and the SDKs ask for none.
        ws_per_message_deflate=False,
        lifespan="on",
        interface="asgi3",
        access_log=False,
        log_config=None,
        server_header=False,
        # Headgate reads X-Forwarded-For itself, from the proxies that the operator trusts.
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(plan.settings.server.shutdown_grace_s) or 1,
    )


def _leave(*_: object) -> NoReturn:
    raise SystemExit(0)


def _announce(plan: Plan, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    shown_host = f"[{host}]" if ":" in host else host
    address = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else shown_host}:{port}"  # noqa: S104
    lines = [f"Headgate listens on {address} (OpenAI base URL: {address}/v1)"]
    if plan.simulated:
        names = ", ".join(sorted(plan.simulated))
        lines.append(
            f"SIMULATED: no OPENAI_API_KEY is set, so the simulator answers in place of {names};"
            " no answer comes from a real model."
        )
        _log.warning("simulated", extra={"providers": sorted(plan.simulated)})
    for warning in short_key_warnings(plan.providers):
        lines.append(f"warning: {warning}")
        _log.warning("short provider key", extra={"reason": warning})
    _log.info("serving", extra={"address": address, "version": __version__})
    _say("\n".join(lines))


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - what the operator waits for

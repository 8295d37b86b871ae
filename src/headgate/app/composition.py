"""Puts one worker together from its parts, and starts and stops it.

A server is built in two steps. `prepare` is done once, before any worker: the schema, the
projects, the administrator's key. `build` makes what one worker runs; `Application` starts,
serves and stops it.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import logging
import os
import signal
from contextlib import suppress
from functools import partial

from headgate.app.accounting import Accounting
from headgate.app.alerting import Alerting
from headgate.app.caching import build_cache, build_embedder, check_cache
from headgate.app.guarding import build_guards, untrusted_projects
from headgate.app.plan import Plan
from headgate.app.tracing import Tracing
from headgate.config.policy import effective_policy
from headgate.errors import UnavailableError
from headgate.gateway.cache.semantic.near_miss import NearMissLog
from headgate.gateway.commitments.batch_input import BatchInput
from headgate.gateway.commitments.keeper import CommitmentKeeper
from headgate.gateway.commitments.watch import CommitmentWatch
from headgate.gateway.dispatch import Dispatcher
from headgate.gateway.gateway import Gateway
from headgate.gateway.grading.classifier import Classifier
from headgate.gateway.key_probe import KeyProbe
from headgate.gateway.key_watch import KeyWatch
from headgate.gateway.models import ModelList
from headgate.gateway.moderator import GatewayModerator
from headgate.gateway.objects.allowed import AllowedPaths
from headgate.gateway.objects.batch_input import BatchBounds
from headgate.gateway.objects.carrier import ObjectCarrier
from headgate.gateway.objects.in_calls import ObjectsInCalls
from headgate.gateway.objects.items import ResponseItems
from headgate.gateway.objects.operations import PROVIDER_SECRETS
from headgate.gateway.objects.register import ObjectRegister
from headgate.gateway.provider import Provider
from headgate.gateway.realtime.carrier import RealtimeCarrier
from headgate.gateway.realtime.opening import SessionOpener
from headgate.gateway.retry import RetryPolicy
from headgate.gateway.routing import Routing
from headgate.gateway.settlement import Settlement
from headgate.gateway.spending import Spending
from headgate.gateway.stored_responses import ResponseArchive, ResponseOwner, StoredResponses
from headgate.intake.access.authentication import Authenticator
from headgate.intake.access.first_key import ensure_admin_key
from headgate.intake.access.keys import KeyStore
from headgate.intake.access.networks import TrustedProxies
from headgate.intake.access.projects import ProjectStore
from headgate.intake.access.secret import load_secret, user_hash
from headgate.intake.http.admin import AdminApp, Services
from headgate.intake.http.allowances_api import allowances_endpoints
from headgate.intake.http.cache_api import cache_endpoints
from headgate.intake.http.health_api import Probe, database_probe
from headgate.intake.http.models_api import models_endpoints
from headgate.intake.http.near_misses_api import near_miss_endpoints
from headgate.intake.http.objects_surface import ObjectsSurface
from headgate.intake.http.openai_endpoints import openai_endpoints
from headgate.intake.http.openai_surface import OpenAISurface
from headgate.intake.http.request_body import Receive, Scope, Send
from headgate.intake.http.responses_api import responses_endpoints
from headgate.intake.http.runs_api import runs_endpoints
from headgate.intake.http.workflows_api import workflows_endpoints
from headgate.intake.sockets.client_secrets import ClientSecrets
from headgate.intake.sockets.realtime_api import realtime_endpoints
from headgate.intake.sockets.surface import SocketSurface
from headgate.ledger.allowances.rule import Rules
from headgate.ledger.commitments.store import CommitmentStore
from headgate.ledger.prices import PriceList
from headgate.ledger.record import CallRecord
from headgate.ledger.usage import response_owner
from headgate.ledger.writer import LedgerWriter
from headgate.storage import Database, migrate
from headgate.storage.threads import StorageThreads
from headgate.telemetry.logs import CallLog
from headgate.telemetry.metrics import CONTENT_TYPE, Metrics
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.gateway_model import GatewayModel
from headgate.workflows.repository import RunRepository
from headgate.workflows.runner import Runner

_log = logging.getLogger(__name__)

_GAUGES_EVERY_S = 0.5
_FLUSH_AT_STOP_S = 10.0
_QUIET_S = 3.0
_LAST_TRACES_S = 3.0


def prepare(plan: Plan, admin_key: str | None) -> str | None:
    """Bring the database to where workers can start; return an admin key to be shown, if made.

    Raises `ConfigError` and `DatabaseUnavailableError`.
    """
    check_cache(plan.settings)
    database = _database(plan)
    try:
        migrate(database)
        secret = load_secret(database, plan.secret_key)
        shown = ensure_admin_key(database, secret, admin_key)
        wanted = {name: project.description for name, project in plan.settings.projects.items()}
        ProjectStore(database).ensure(wanted)
        return shown
    finally:
        database.close()


def build(plan: Plan, *, parent_pid: int | None = None) -> Application:
    """Everything one worker needs, not yet started.

    `parent_pid` is the process without which it is to stop.
    """
    settings = plan.settings
    database = _database(plan)
    secret = load_secret(database, plan.secret_key)

    def hash_user(user: str) -> str:
        return user_hash(secret, user)

    via = secret.fingerprint[:16]
    providers = {
        name: Provider(
            name,
            provider,
            simulated=name in plan.simulated,
            via=via,
            retry_budget=settings.retries.budget,
        )
        for name, provider in plan.providers.items()
    }
    prices = PriceList(settings.prices)
    routing = Routing(
        providers,
        settings.routes,
        settings.breaker,
        prices,
        default_models=settings.endpoints.default_models,
        keeper=settings.endpoints.provider,
    )
    metrics = Metrics(max_label_values=settings.metrics.max_label_values)
    call_log = CallLog(settings.logs.calls, settings.logs.level)
    tracing = Tracing.of(plan, metrics.traces)

    def note_batch(records: list[CallRecord]) -> None:
        metrics.observe(records)
        call_log.write(records)
        if tracing is not None:
            tracing.tracer.note_calls(records)

    writer = LedgerWriter(database, settings.ledger, note_batch)

    async def find_response(response_id: str) -> ResponseOwner | None:
        return await asyncio.to_thread(_owner_of, database, begun, response_id)

    catalogue = Catalogue.load(plan.folder)
    embedder = build_embedder(settings)
    moderator = GatewayModerator()
    cache = build_cache(settings, catalogue, database, embedder)
    stored = StoredResponses(find_response)
    alerting = Alerting(settings, database, providers.values())
    accounting = Accounting.of(settings, database, alerting.outbox)
    key_watch = KeyWatch(metrics.targets, alerting.tell)
    begun = CommitmentStore(
        database,
        Rules() if accounting is None else accounting.allowances.rules,
        None if accounting is None else alerting.outbox,
    )
    spending = batch_input = None
    if accounting is not None:
        spending = Spending(accounting.allowances, prices, routing, settings.allowances)
        batch_input = BatchInput(spending, prices, settings.allowances)
    object_threads = StorageThreads("objects")
    commitments = CommitmentKeeper(
        begun,
        object_threads,
        prices,
        providers,
        writer,
        spending,
    )
    register = ObjectRegister(
        database,
        object_threads,
        open_to_unregistered=settings.endpoints.unregistered_objects == "open",
    )
    graded = {n: r.classifier for n, r in settings.routes.items() if r.classifier is not None}
    classifier = Classifier(graded, metrics.grading) if graded else None
    items = ResponseItems(
        database,
        object_threads,
        open_to_unregistered=settings.endpoints.unregistered_objects == "open",
    )
    settlement = Settlement(prices)
    guards = build_guards(
        settings,
        plan.folder,
        secret.derived(b"guards"),
        moderator,
        database,
        object_threads,
        metrics.guards,
    )
    gateway = Gateway(
        Dispatcher(
            routing,
            RetryPolicy(settings.retries),
            metrics.targets,
            key_watch,
            None if tracing is None else tracing.propagator,
            spending=spending,
        ),
        settlement,
        writer,
        stored,
        ObjectsInCalls(register, items),
        durable=settings.ledger.durability == "durable",
        spending=spending,
        cache=cache,
        guards=guards,
        grader=classifier,
        commitments=commitments,
    )
    embedder.gateway = moderator.gateway = gateway
    if classifier is not None:
        classifier.gateway = gateway
    runner = Runner(
        catalogue,
        GatewayModel(gateway, hash_user),
        RunRepository(database),
        hash_user,
        None if tracing is None else tracing.tracer.note_run,
    )
    authenticator = Authenticator(KeyStore(database, secret), secret, settings.access)
    proxies = TrustedProxies(settings.server.trusted_proxies)
    client_secrets = ClientSecrets(secret, lasts_s=settings.sockets.client_secret_s)
    models = ModelList(routing)
    restore = None if guards is None else guards.restored
    admin = AdminApp(
        Services(
            database=database,
            keys=KeyStore(database, secret),
            projects=ProjectStore(database),
            authenticator=authenticator,
            trusted_proxies=proxies,
            settings=settings.server,
            probes=_probes(database, models, writer),
            render_metrics=metrics.render,
            metrics_media_type=CONTENT_TYPE,
            effective_config=partial(
                effective_policy,
                settings,
                providers=plan.providers,
                simulated=plan.simulated,
                database_url=plan.database_url,
            ),
            more_endpoints=(
                *openai_endpoints(),
                *realtime_endpoints(client_secrets, hash_user),
                *responses_endpoints(ResponseArchive(stored, providers, commitments, restore)),
                *models_endpoints(models, lambda: tuple(w.name for w in runner.catalogue)),
                *workflows_endpoints(runner, fault_hints=routing.takes_fault_hints),
                *runs_endpoints(runner),
                *allowances_endpoints(
                    accounting.allowances.rules if accounting is not None else Rules(),
                    database,
                    runner.threads,
                ),
                *cache_endpoints(cache, database),
                *near_miss_endpoints(NearMissLog(database)),
            ),
        )
    )
    surface = OpenAISurface(
        gateway,
        authenticator,
        proxies,
        runner,
        settings.server,
        hash_user,
        settings.endpoints,
        via=via,
        untrusted=untrusted_projects(settings),
    )
    carrier = ObjectCarrier(
        routing,
        register,
        RetryPolicy(settings.retries),
        commitments,
        batch_input,
        writer,
        key_watch,
        stored,
        items,
        BatchBounds(
            max_file_bytes=settings.endpoints.max_upload_bytes,
            max_line_bytes=settings.server.max_body_bytes,
        ),
        allowed=AllowedPaths(settings.endpoints.allow),
        keeper=settings.endpoints.provider,
        durable=settings.ledger.durability == "durable",
        guards=guards,
        spending=spending,
    )
    return Application(
        surface=surface,
        objects=ObjectsSurface(
            carrier,
            surface,
            settings.server,
            settings.endpoints,
            PROVIDER_SECRETS if settings.sockets.client_secrets == "provider" else (),
        ),
        sockets=SocketSurface(
            surface,
            RealtimeCarrier(
                gateway,
                Dispatcher(
                    routing,
                    RetryPolicy(settings.retries),
                    metrics.targets,
                    key_watch,
                    None if tracing is None else tracing.propagator,
                    SessionOpener(
                        max_message_bytes=settings.sockets.max_message_bytes,
                        max_waiting_messages=settings.sockets.max_waiting_messages,
                    ),
                ),
                settlement,
                spending,
                settings.sockets,
            ),
            client_secrets,
            settings.sockets,
            simulated=bool(plan.simulated),
        ),
        object_threads=object_threads,
        response_items=items,
        admin=admin,
        gateway=gateway,
        key_probe=KeyProbe(providers.values(), metrics.targets),
        watch=CommitmentWatch(commitments),
        authenticator=authenticator,
        runner=runner,
        writer=writer,
        metrics=metrics,
        prices=prices,
        database=database,
        accounting=accounting,
        tracing=tracing,
        alerting=alerting,
        parent_pid=parent_pid,
    )


def _database(plan: Plan) -> Database:
    return Database(plan.database_url, durable=plan.settings.ledger.durability == "durable")


def _owner_of(database: Database, begun: CommitmentStore, response_id: str) -> ResponseOwner | None:
    with database.connect() as connection:
        found = response_owner(connection, response_id)
    # One in the background is noted before it is answered, and recorded a moment after.
    found = found or begun.owner("response", response_id)
    return None if found is None else ResponseOwner(*found)


def _probes(database: Database, models: ModelList, writer: LedgerWriter) -> dict[str, Probe]:
    async def targets() -> None:
        if not await models.any_usable():
            raise UnavailableError("No provider answers and accepts Headgate's key.")

    async def ledger() -> None:
        if not writer.healthy:
            raise UnavailableError(f"Records wait for {writer.lag_s:.1f} s to be written.")

    return {"database": database_probe(database), "targets": targets, "ledger": ledger}


class Application:
    """One worker: an ASGI application that is started, serves, and is stopped."""

    def __init__(
        self,
        *,
        surface: OpenAISurface,
        objects: ObjectsSurface,
        sockets: SocketSurface,
        object_threads: StorageThreads,
        response_items: ResponseItems,
        admin: AdminApp,
        gateway: Gateway,
        key_probe: KeyProbe,
        watch: CommitmentWatch,
        authenticator: Authenticator,
        runner: Runner,
        writer: LedgerWriter,
        metrics: Metrics,
        prices: PriceList,
        database: Database,
        accounting: Accounting | None,
        tracing: Tracing | None,
        alerting: Alerting,
        parent_pid: int | None,
    ) -> None:
        self._parent_pid = parent_pid
        self._surface = surface
        self._endpoints = surface.endpoints
        self._objects = objects
        self._sockets = sockets
        self._object_threads = object_threads
        self._response_items = response_items
        self._admin = admin
        self._gateway = gateway
        self._key_probe = key_probe
        self._watch = watch
        self._authenticator = authenticator
        self._runner = runner
        self._writer = writer
        self._metrics = metrics
        self._prices = prices
        self._database = database
        self._accounting = accounting
        self._tracing = tracing
        self._alerting = alerting
        self._gauges: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life span of the worker."""
        if scope["type"] == "http":
            endpoint = self._endpoints.get(scope["path"])
            if endpoint is not None and scope["method"] == "POST":
                await self._surface.serve(endpoint, scope, receive)
            elif (found := self._objects.find(scope["method"], scope["path"])) is not None:
                await self._objects.serve(found, scope, receive)
            else:
                await self._admin(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._sockets.serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def start(self) -> None:
        """Begin to serve. Raises `DatabaseUnavailableError`."""
        self._writer.start()
        if self._tracing is not None:
            self._tracing.tracer.start()
        await self._authenticator.start()
        if self._accounting is not None:
            self._accounting.start()
        self._alerting.start()
        await self._runner.give_up_lost()
        self._key_probe.start()
        self._response_items.start()
        self._watch.start()
        if self._gateway.cache is not None:
            await self._gateway.cache.keeper.start()
        # A second Ctrl-C ends a server without `stop`; the records are written all the same.
        atexit.register(self._writer.close, _FLUSH_AT_STOP_S)
        # The price list takes a third of a second to load, which no call should wait for.
        await asyncio.to_thread(self._prices.load)
        # What is here now stays: not looked at again, it can't hold up a call for the tens of
        # milliseconds that a full collection of all modules takes.
        gc.collect()
        gc.freeze()
        self._gauges = asyncio.create_task(self._note_state(), name="headgate-gauges")

    async def stop(self) -> None:
        """End what the server still does and write every record; nothing may be served after."""
        await self._until_quiet()
        if self._gauges is not None:
            self._gauges.cancel()
            with suppress(asyncio.CancelledError):
                await self._gauges
        await self._authenticator.stop()
        await self._key_probe.stop()
        await self._response_items.stop()
        await self._watch.stop()
        if self._accounting is not None:
            await self._accounting.stop()
        await self._alerting.stop()
        if self._gateway.cache is not None:
            await self._gateway.cache.keeper.stop()
        for provider in self._gateway.routing.providers.values():
            await provider.close()
        left = await asyncio.to_thread(self._writer.close, _FLUSH_AT_STOP_S)
        if left:
            _log.error("records could not be written before the stop", extra={"records": left})
        atexit.unregister(self._writer.close)
        if self._tracing is not None:
            await asyncio.to_thread(self._tracing.tracer.close, _LAST_TRACES_S)
        await self._admin.stop()
        self._runner.threads.close()
        self._object_threads.close()
        self._database.close()

    async def _until_quiet(self) -> None:
        """Wait for calls that were just cancelled to say so in their records."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_QUIET_S):
                while (  # noqa: ASYNC110 - looked at once, at the end
                    self._gateway.in_flight or self._objects.in_flight or self._sockets.sessions
                ):
                    await asyncio.sleep(0.01)

    async def _note_state(self) -> None:
        while True:
            self._metrics.note_state(
                in_flight=self._gateway.in_flight + self._objects.in_flight,
                lag_s=self._writer.lag_s,
                waiting_records=self._writer.pending,
                dead_records=self._writer.dead_records,
            )
            self._metrics.note_websockets(self._sockets.sessions)
            if self._accounting is not None:
                self._accounting.note(self._metrics.allowances)
            if (cache := self._gateway.cache) is not None:
                memory = cache.memory
                self._metrics.note_cache(entries=len(memory), size_bytes=memory.size_bytes)
            if self._parent_pid is not None and os.getppid() != self._parent_pid:
                # Whoever started this worker was killed; nobody else would ever stop it.
                _log.error("the server's main process has gone; this worker stops")
                signal.raise_signal(signal.SIGTERM)
                return
            await asyncio.sleep(_GAUGES_EVERY_S)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.start()
        except Exception as error:  # noqa: BLE001 - the server says why and does not start
            _log.error("the worker could not start", extra={"reason": str(error)})
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

"""Puts one worker together from its parts.

A server is built in two steps: `preparation` once, before any worker; then `build` makes what one
worker runs, an `Application`.
"""

from __future__ import annotations

from functools import partial

from starlette.types import ASGIApp

from headgate.app.accounting import Accounting
from headgate.app.alerting import Alerting
from headgate.app.application import Application
from headgate.app.calling import Calling
from headgate.app.durability import Durability
from headgate.app.guarding import untrusted_projects
from headgate.app.plan import Plan
from headgate.app.preparation import open_database
from headgate.app.reviewing import Reviewing, check_groups, tells_of_reviews
from headgate.app.tooling import Tooling
from headgate.app.tracing import Tracing
from headgate.config.policy import effective_policy
from headgate.context.connectors import Connectors
from headgate.errors import UnavailableError
from headgate.gateway.cache.semantic.near_miss import NearMissLog
from headgate.gateway.commitments.watch import CommitmentWatch
from headgate.gateway.keys.probe import KeyProbe
from headgate.gateway.models import ModelList
from headgate.gateway.objects.operations import PROVIDER_SECRETS
from headgate.gateway.provider import Provider
from headgate.gateway.routing import Routing
from headgate.intake.access.authentication import Authenticator
from headgate.intake.access.keys import KeyStore
from headgate.intake.access.networks import TrustedProxies
from headgate.intake.access.projects import ProjectStore
from headgate.intake.access.secret import load_secret, user_hash
from headgate.intake.http.actions_api import actions_endpoints
from headgate.intake.http.admin import AdminApp, Services
from headgate.intake.http.allowances_api import allowances_endpoints
from headgate.intake.http.cache_api import cache_endpoints
from headgate.intake.http.health_api import Probe, database_probe
from headgate.intake.http.models_api import models_endpoints
from headgate.intake.http.near_misses_api import near_miss_endpoints
from headgate.intake.http.objects_surface import ObjectsSurface
from headgate.intake.http.openai_endpoints import openai_endpoints
from headgate.intake.http.openai_surface import OpenAISurface
from headgate.intake.http.responses_api import responses_endpoints
from headgate.intake.http.reviews_api import reviews_endpoints
from headgate.intake.http.runs_api import runs_endpoints
from headgate.intake.http.workflows_api import workflows_endpoints
from headgate.intake.sockets.client_secrets import ClientSecrets
from headgate.intake.sockets.realtime_api import realtime_endpoints
from headgate.intake.sockets.surface import SocketSurface
from headgate.ledger.allowances.rule import Rules
from headgate.ledger.prices import PriceList
from headgate.ledger.record import CallRecord
from headgate.ledger.rollups.roller import Roller
from headgate.ledger.rollups.task import RollupTask
from headgate.ledger.writer import LedgerWriter
from headgate.review.console.reviews import Reviews
from headgate.storage import Database
from headgate.storage.identifiers import new_id
from headgate.storage.threads import StorageThreads
from headgate.telemetry.logs import CallLog
from headgate.telemetry.metrics import CONTENT_TYPE, Metrics
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.gateway_model import GatewayModel
from headgate.workflows.repository import RunRepository
from headgate.workflows.runner import Runner
from headgate.workflows.semantic_checks import check_semantic


def build(
    plan: Plan, *, parent_pid: int | None = None, reviews: Reviews | None = None
) -> Application:
    """Everything one worker needs, not yet started.

    `parent_pid` is the process without which it is to stop. `reviews` are what the console shows in
    place of the board's.
    """
    settings = plan.settings
    database = open_database(plan)
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
    catalogue = Catalogue.load(plan.folder, settings.connectors)
    check_groups(settings, catalogue)
    check_semantic(settings, plan.folder, plan.providers, catalogue)
    alerting = Alerting(
        settings,
        database,
        providers.values(),
        alerts_of_reviews=tells_of_reviews(settings, catalogue),
    )
    reviewing = Reviewing(settings, database, alerting.outbox, metrics.reviews, metrics.tools)
    accounting = Accounting.of(settings, database, alerting.outbox, reviewing.asking)
    calling = Calling(
        plan,
        database=database,
        secret=secret,
        providers=providers,
        routing=routing,
        prices=prices,
        writer=writer,
        metrics=metrics,
        catalogue=catalogue,
        tracing=tracing,
        alerting=alerting,
        reviewing=reviewing,
        accounting=accounting,
    )
    executor = new_id("executor")
    tooling = Tooling(plan, catalogue, database, executor, metrics.tools)
    runner = Runner(
        catalogue,
        GatewayModel(calling.gateway),
        RunRepository(database),
        hash_user,
        None if tracing is None else tracing.tracer.note_run,
        reviewing.holding,
        tooling.use,
        Connectors(settings.connectors, plan.folder),
    )
    durability = Durability(
        settings.runs, runner, database, executor, grace_s=settings.server.shutdown_grace_s
    )
    board = reviewing.board(runner, durability.runs.go_on, tooling.use.preview)
    authenticator = Authenticator(KeyStore(database, secret), secret, settings.access)
    proxies = TrustedProxies(settings.server.trusted_proxies)
    client_secrets = ClientSecrets(secret, lasts_s=settings.sockets.client_secret_s)
    models = ModelList(routing)
    rules = accounting.allowances.rules if accounting is not None else Rules()
    effective_config = partial(
        effective_policy,
        settings,
        providers=plan.providers,
        simulated=plan.simulated,
        database_url=plan.database_url,
    )
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
            effective_config=effective_config,
            more_endpoints=(
                *openai_endpoints(),
                *realtime_endpoints(client_secrets, hash_user),
                *responses_endpoints(calling.archive()),
                *models_endpoints(models, lambda: tuple(w.name for w in runner.catalogue)),
                *workflows_endpoints(
                    runner, durability.runs, fault_hints=routing.takes_fault_hints
                ),
                *runs_endpoints(runner, durability.runs),
                *actions_endpoints(database, runner.threads),
                *reviews_endpoints(board),
                *allowances_endpoints(rules, database, runner.threads),
                *cache_endpoints(calling.cache, database),
                *near_miss_endpoints(NearMissLog(database)),
            ),
        )
    )
    console_threads = StorageThreads("console")

    def make_console() -> ASGIApp:
        # Its pages take a megabyte and tens of milliseconds, which a server that nobody looks at
        # need not pay.
        from headgate.app.console import build_console  # noqa: PLC0415

        return build_console(
            plan,
            database=database,
            secret=secret,
            authenticator=authenticator,
            proxies=proxies,
            durable=durability.runs,
            rules=rules,
            effective_config=effective_config,
            changed=admin.changed,
            threads=console_threads,
            board=board,
            reviews=reviews,
        )

    surface = OpenAISurface(
        calling.gateway,
        authenticator,
        proxies,
        durability.runs,
        settings.server,
        hash_user,
        settings.endpoints,
        room=calling.room,
        via=via,
        untrusted=untrusted_projects(settings),
    )
    return Application(
        surface=surface,
        objects=ObjectsSurface(
            calling.objects(),
            surface,
            settings.server,
            settings.endpoints,
            PROVIDER_SECRETS if settings.sockets.client_secrets == "provider" else (),
        ),
        sockets=SocketSurface(
            surface,
            calling.realtime(),
            client_secrets,
            settings.sockets,
            simulated=bool(plan.simulated),
        ),
        object_threads=calling.object_threads,
        reviewing=reviewing,
        response_items=calling.response_items,
        admin=admin,
        make_console=make_console if settings.console.enabled else None,
        console_threads=console_threads,
        rollups=RollupTask(Roller(database), console_threads),
        gateway=calling.gateway,
        key_probe=KeyProbe(providers.values(), metrics.targets),
        watch=CommitmentWatch(calling.commitments),
        authenticator=authenticator,
        runner=runner,
        writer=writer,
        metrics=metrics,
        prices=prices,
        database=database,
        accounting=accounting,
        tracing=tracing,
        alerting=alerting,
        durability=durability,
        tooling=tooling,
        parent_pid=parent_pid,
    )


def _probes(database: Database, models: ModelList, writer: LedgerWriter) -> dict[str, Probe]:
    async def targets() -> None:
        if not await models.any_usable():
            raise UnavailableError("No provider answers and accepts Headgate's key.")

    async def ledger() -> None:
        if not writer.healthy:
            raise UnavailableError(f"Records wait for {writer.lag_s:.1f} s to be written.")

    return {"database": database_probe(database), "targets": targets, "ledger": ledger}

"""Puts together what carries calls: the gateway, and all that stands beside it at a call."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from headgate.app.accounting import Accounting
from headgate.app.alerting import Alerting
from headgate.app.caching import build_cache, build_embedder
from headgate.app.guarding import build_guards
from headgate.app.plan import Plan
from headgate.app.reviewing import Reviewing
from headgate.app.tracing import Tracing
from headgate.gateway.attempts.dispatch import Dispatcher
from headgate.gateway.attempts.further import FurtherAttempts
from headgate.gateway.commitments.batch_input import BatchInput
from headgate.gateway.commitments.keeper import CommitmentKeeper
from headgate.gateway.forms import SpoolRoom
from headgate.gateway.gateway import Gateway
from headgate.gateway.grading.classifier import Classifier
from headgate.gateway.judging.judge import GatewayJudge
from headgate.gateway.keys.watch import KeyWatch
from headgate.gateway.objects.allowed import AllowedPaths
from headgate.gateway.objects.batch_input import BatchBounds
from headgate.gateway.objects.carrier import ObjectCarrier
from headgate.gateway.objects.in_calls import ObjectsInCalls
from headgate.gateway.objects.items import ResponseItems
from headgate.gateway.objects.register import ObjectRegister
from headgate.gateway.own_calls.moderator import GatewayModerator
from headgate.gateway.provider import Provider
from headgate.gateway.realtime.carrier import RealtimeCarrier
from headgate.gateway.realtime.opening import SessionOpener
from headgate.gateway.retries.policy import RetryPolicy
from headgate.gateway.routing import Routing
from headgate.gateway.settlement import Settlement
from headgate.gateway.spending import Spending
from headgate.gateway.stored_responses import ResponseArchive, ResponseOwner, StoredResponses
from headgate.intake.access.secret import Secret
from headgate.ledger.allowances.rule import Rules
from headgate.ledger.commitments.store import CommitmentStore
from headgate.ledger.prices import PriceList
from headgate.ledger.usage import response_owner
from headgate.ledger.writer import LedgerWriter
from headgate.storage import Database
from headgate.storage.threads import StorageThreads
from headgate.telemetry.metrics import Metrics
from headgate.workflows.catalogue import Catalogue


class Calling:
    """The gateway of one worker, and the carriers that lead to providers beside it."""

    def __init__(
        self,
        plan: Plan,
        *,
        database: Database,
        secret: Secret,
        providers: Mapping[str, Provider],
        routing: Routing,
        prices: PriceList,
        writer: LedgerWriter,
        metrics: Metrics,
        catalogue: Catalogue,
        tracing: Tracing | None,
        alerting: Alerting,
        reviewing: Reviewing,
        accounting: Accounting | None,
    ) -> None:
        settings = plan.settings
        self._settings = settings
        self._routing = routing
        self._providers = providers
        self._writer = writer
        self._metrics = metrics
        self._tracing = tracing
        embedder = build_embedder(settings)
        moderator, judge = GatewayModerator(), GatewayJudge()
        self.cache = build_cache(settings, catalogue, database, embedder)
        self._key_watch = KeyWatch(metrics.targets, alerting.tell)
        begun = CommitmentStore(
            database,
            Rules() if accounting is None else accounting.allowances.rules,
            None if accounting is None else alerting.outbox,
        )

        async def find_response(response_id: str) -> ResponseOwner | None:
            return await asyncio.to_thread(_owner_of, database, begun, response_id)

        self._stored = StoredResponses(find_response)
        self._spending: Spending | None = None
        self._batch_input: BatchInput | None = None
        further = None
        if accounting is not None:
            self._spending = Spending(accounting.allowances, prices, routing, settings.allowances)
            further = FurtherAttempts(accounting.allowances, prices, settings.allowances)
            self._batch_input = BatchInput(self._spending, prices, settings.allowances)
        self.object_threads = StorageThreads("objects")
        self.commitments = CommitmentKeeper(
            begun, self.object_threads, prices, providers, writer, self._spending
        )
        open_to_unregistered = settings.endpoints.unregistered_objects == "open"
        self._register = ObjectRegister(
            database, self.object_threads, open_to_unregistered=open_to_unregistered
        )
        self.response_items = ResponseItems(
            database, self.object_threads, open_to_unregistered=open_to_unregistered
        )
        graded = {n: r.classifier for n, r in settings.routes.items() if r.classifier is not None}
        classifier = Classifier(graded, metrics.grading) if graded else None
        self._settlement = Settlement(prices)
        self.room = SpoolRoom(settings.endpoints.max_spooled_bytes)
        self._guards = build_guards(
            settings,
            plan.folder,
            secret.derived(b"guards"),
            moderator,
            judge,
            database,
            self.object_threads,
            metrics.guards,
            self.room,
            reviewing.alarms,
        )
        self.gateway = Gateway(
            Dispatcher(
                routing,
                RetryPolicy(settings.retries),
                metrics.targets,
                self._key_watch,
                None if tracing is None else tracing.propagator,
                further=further,
            ),
            self._settlement,
            writer,
            self._stored,
            ObjectsInCalls(self._register, self.response_items),
            durable=settings.ledger.durability == "durable",
            spending=self._spending,
            cache=self.cache,
            guards=None if self._guards is None else self._guards.calls,
            grader=classifier,
            commitments=self.commitments,
        )
        embedder.gateway = moderator.gateway = judge.gateway = self.gateway
        if classifier is not None:
            classifier.gateway = self.gateway

    def archive(self) -> ResponseArchive:
        """Responses that providers keep, for the projects that they belong to."""
        guards = None if self._guards is None else self._guards.calls
        return ResponseArchive(self._stored, self._providers, self.commitments, guards)

    def objects(self) -> ObjectCarrier:
        """What carries requests about files, batches and their like."""
        settings, guards = self._settings, self._guards
        return ObjectCarrier(
            self._routing,
            self._register,
            RetryPolicy(settings.retries),
            self.commitments,
            self._batch_input,
            self._writer,
            self._key_watch,
            self._stored,
            self.response_items,
            BatchBounds(
                max_file_bytes=settings.endpoints.max_upload_bytes,
                max_line_bytes=settings.server.max_body_bytes,
            ),
            allowed=AllowedPaths(settings.endpoints.allow),
            keeper=settings.endpoints.provider,
            durable=settings.ledger.durability == "durable",
            guards=None if guards is None else guards.objects,
            guarded_files=None if guards is None else guards.files,
            spending=self._spending,
        )

    def realtime(self) -> RealtimeCarrier:
        """What carries realtime sessions."""
        settings, tracing = self._settings, self._tracing
        return RealtimeCarrier(
            self.gateway,
            Dispatcher(
                self._routing,
                RetryPolicy(settings.retries),
                self._metrics.targets,
                self._key_watch,
                None if tracing is None else tracing.propagator,
                SessionOpener(
                    max_message_bytes=settings.sockets.max_message_bytes,
                    max_waiting_messages=settings.sockets.max_waiting_messages,
                ),
            ),
            self._settlement,
            self._spending,
            settings.sockets,
        )


def _owner_of(database: Database, begun: CommitmentStore, response_id: str) -> ResponseOwner | None:
    with database.connect() as connection:
        found = response_owner(connection, response_id)
    # One in the background is noted before it is answered, and recorded a moment after.
    found = found or begun.owner("response", response_id)
    return None if found is None else ResponseOwner(*found)

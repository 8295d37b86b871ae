"""One call on its way: its record, when it began, and the one who waits for its answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from headgate.checks.guards.guarding import Guarding
from headgate.config.allowances import Priority
from headgate.config.routes import Complexity
from headgate.config.workflow import Trust
from headgate.errors import HeadgateError, InvalidRequestError
from headgate.gateway.cache.ask import Ask
from headgate.gateway.caller import Caller
from headgate.gateway.deadline import Patience
from headgate.gateway.keys.pool import ProviderKey
from headgate.gateway.lost import Lost
from headgate.gateway.request_headers import (
    cache_tags_from,
    complexity_from,
    feature_from,
    no_store_from,
    priority_from,
    trust_from,
)
from headgate.gateway.routing import Route
from headgate.gateway.target import Target
from headgate.ledger.allowances.reservation import Reservation
from headgate.ledger.allowances.rule import Who
from headgate.ledger.record import CallRecord
from headgate.storage.identifiers import new_id
from headgate.telemetry.traces.lineage import Parent

Headers = list[tuple[bytes, bytes]]


class LastWords(msgspec.Struct, frozen=True):
    """What remains to be sent once the call is recorded: a whole answer, or a stream's end."""

    body: bytes
    status: int = 0
    """0: the head has been sent already, `body` ends the stream."""
    headers: Headers = []
    unless: Callable[[HeadgateError], bytes] | None = None
    """Of a stream's end: the event to end it with if the call can't be recorded; where that is
    empty, the stream is cut."""
    cut: bool = False
    """End the connection instead: of a stream that can't say in itself that it broke off."""


class Refusal(msgspec.Struct, frozen=True):
    """An error as the whole answer; whoever speaks to the client gives it its form."""

    error: HeadgateError
    headers: Headers


class Client(Protocol):
    """The one who waits for an answer: an application over HTTP, or a run in this process."""

    @property
    def gone(self) -> bool:
        """Whether it has closed the connection; then it cancels the task that carries its call."""

    async def begin(self, status: int, headers: Headers) -> None:
        """Send the head of a stream."""

    async def write(self, data: bytes) -> None:
        """Send a piece of it."""

    async def finish(self, last: LastWords | Refusal) -> None:
        """Send what remains, and the end."""


class Call:
    """One request to a model, from the moment its caller is known until it is recorded."""

    __slots__ = (
        "ask",
        "cache_tags",
        "caller",
        "cancelled",
        "complexity",
        "forwarded",
        "from_run",
        "further",
        "goes_on",
        "grade",
        "guarding",
        "hedge_safe",
        "inner",
        "item_ids",
        "kept_at",
        "kept_by",
        "lost",
        "no_store",
        "patience",
        "priority",
        "provider_key",
        "record",
        "reservation",
        "retrieved",
        "route",
        "rungs_up",
        "started_ns",
        "target",
        "trust",
        "users_vouched",
        "worst_nanousd",
    )

    def __init__(
        self,
        caller: Caller,
        endpoint: str,
        *,
        trace_id: str,
        parent: Parent | None = None,
        forwarded: bytes = b"",
    ) -> None:
        self.caller = caller
        self.forwarded = forwarded
        """Header lines of the client's that the provider shall see too."""
        self.cancelled = False
        """Whether the task that carries it was told to stop."""
        self.trust: Trust = "trusted"
        """Whose content it carries; a caller may say `untrusted`, never the other way round."""
        self.users_vouched = False
        """Whether it is untrusted for other texts' sake than its users'."""
        self.retrieved = False
        """Whether its users' messages hold what a run looked up, and people outside wrote."""
        self.guarding: Guarding | None = None
        """The guards that stand at it, once they have seen its request."""
        self.inner = False
        """Whether Headgate makes it itself, for another call whose guards have seen its texts."""
        self.from_run = False
        """Whether a run makes it: then the workflow's owner, not the key, chose the model."""
        self.complexity: Complexity | None = None
        """What `x-headgate-complexity` says."""
        self.grade: str | None = None
        """What its route's classifier said of it, where that was asked."""
        self.hedge_safe = False
        """Whether the client says that it may be made twice."""
        self.rungs_up = 0
        """How often the run asked the same before; a tiered route begins that much further up."""
        self.route: Route | None = None
        """What the name that was asked for leads to."""
        self.priority: Priority = "normal"
        """Who goes first where calls wait in line."""
        self.reservation: Reservation | None = None
        """What it holds of limits and budgets until it is settled."""
        self.further: tuple[Reservation, ...] = ()
        """What it holds of budgets beside, for attempts after lost ones."""
        self.lost: tuple[Lost, ...] = ()
        """Its attempts that may be charged though their answers were not used."""
        self.worst_nanousd: int | None = None
        """What it may cost at worst, where a budget or a cap asked."""
        self.goes_on = False
        """Whether its provider still works on it when it is answered: in the background."""
        self.ask: Ask | None = None
        """What it asks of the cache, where it is one that may be answered from there."""
        self.no_store = False
        """Whether it is neither to be answered from the cache nor kept there."""
        self.cache_tags: tuple[str, ...] = ()
        """Names by which its answer can be cleared."""
        self.target: Target | None = None
        """The target of the last attempt."""
        self.provider_key: ProviderKey | None = None
        """The provider's key that it was made with."""
        self.item_ids: tuple[str, ...] = ()
        """What its answer is made of, where the provider keeps that."""
        self.kept_at: str | None = None
        """The provider that alone has what the call goes on from."""
        self.kept_by: str | None = None
        """The name of the provider's key that alone can see what the call goes on from."""
        self.patience: Patience | None = None
        """How long the client waits, where it says so."""
        self.started_ns = time.perf_counter_ns()
        self.record = CallRecord(
            id=new_id("call"),
            started_at_us=time.time_ns() // 1000,
            project=caller.project,
            key_id=caller.key_id,
            endpoint=endpoint,
            trace_id=trace_id,
            parent=parent,
        )

    @property
    def who(self) -> Who:
        """Whose it is to limits and budgets."""
        record = self.record
        return Who(record.project, record.key_id, record.feature, record.user_hash, record.workflow)

    def elapsed_us(self) -> int:
        """Microseconds since the call began."""
        return (time.perf_counter_ns() - self.started_ns) // 1000

    def take_hints(self, complexity: bytes | None, hedge: bytes | None) -> None:
        """Note what `x-headgate-complexity` and `x-headgate-hedge` say."""
        if complexity is not None:
            self.complexity = complexity_from(complexity)
        if hedge is not None:
            if hedge != b"safe":
                raise InvalidRequestError(
                    "The header x-headgate-hedge takes `safe` only.", param="x-headgate-hedge"
                )
            self.hedge_safe = True

    def name_trust(self, header: bytes) -> None:
        """Note what `x-headgate-trust` says: it can make a call stricter, never looser."""
        if trust_from(header) == "untrusted":
            self.trust = "untrusted"

    def name_feature(self, header: bytes) -> None:
        """Note what the cost is for, from `x-headgate-feature`."""
        self.record.feature = feature_from(header)

    def name_priority(self, header: bytes) -> None:
        """Note how urgent it is, from `x-headgate-priority`."""
        self.priority = priority_from(header)

    def name_cache(self, control: bytes | None, tags: bytes | None) -> None:
        """Note what `x-headgate-cache` and `x-headgate-cache-tag` say."""
        self.no_store = no_store_from(control)
        if tags is not None:
            self.cache_tags = cache_tags_from(tags)

    def name_user(self, user: str | None, hash_user: Callable[[str], str]) -> None:
        """Note the end user, of whom only the keyed hash is kept."""
        if user:
            self.record.user_hash = hash_user(user)

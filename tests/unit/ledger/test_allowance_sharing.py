"""Whatever several processes do with one allowance, and whichever of them dies: never too much."""

from __future__ import annotations

import copy
from collections import deque
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.ledger.allowances.rule import Measure, Rule
from headgate.ledger.allowances.share import Hold, Share, Turn, give_back, reserve
from headgate.ledger.allowances.standing import Answer, Standing, take_turn
from headgate.ledger.allowances.window import Window

MINUTE_US = 60_000_000
START_US = 1_795_000_000_000_000


Step = tuple[str, int, int, float]
"""What happens, to which process, with which amount, to which part."""

SEEDS = st.integers(0, 2**32)


class World:
    """A store and some processes, driven step by step with a clock of its own."""

    def __init__(self, measure: Measure, window: Window, limit: int, processes: int) -> None:
        self.rule = Rule(
            name="r", kind="limit", measure=measure, window=window, limit=limit, per=()
        )
        self.now_us = START_US
        self.standings: dict[int, Standing] = {}
        self.processes = [Process(self, f"p{number}") for number in range(processes)]
        self.used: deque[tuple[int, int]] = deque()
        """When calls were let in, and what they may use."""
        self.spent = 0
        """What ended calls used, of which some may have died with their process."""
        self.handed: deque[int] = deque()
        """What calls handed over for what they had begun; no process has it any more."""

    @property
    def in_flight(self) -> int:
        held = sum(hold.amount for process in self.processes for hold in process.holds)
        return held + sum(self.handed)

    def settle_handed(self, part: float) -> None:
        """What `ledger.allowances.held` does to the row of a budget."""
        if self.handed:
            amount = self.handed.popleft()
            used = int(amount * part)
            self.standings[0].taken -= amount - used
            self.standings[0].spent += used
            self.spent += used

    def check(self) -> None:
        limit = self.rule.limit
        if self.rule.window == "now":
            assert self.in_flight <= limit
        elif self.rule.window == "minute":
            while self.used and self.used[0][0] <= self.now_us - MINUTE_US:
                self.used.popleft()
            assert sum(amount for _, amount in self.used) <= limit
        else:
            assert self.spent + self.in_flight <= limit
            standing = self.standings.get(0)
            if standing is not None:
                assert standing.taken <= limit


class Process:
    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.share = Share(world.rule, "s")
        self.holds: list[Hold] = []
        self.turns: list[Turn] | None = None
        self.done: list[Answer | None] = []
        self.committed_at_us = 0

    def call(self, amount: int) -> None:
        world = self.world
        if self.share.fits(amount, world.now_us):
            self.holds += reserve([self.share], [amount], world.now_us)
            world.used.append((world.now_us, amount))
        else:
            # Others wait too, so that the share that is fetched outlasts this call.
            self.share.demand, self.share.least = 8 * amount, amount
            if world.rule.window == "now":
                self.share.line_demand = self.share.line_least = amount

    def end(self, part: float) -> None:
        if not self.holds:
            return
        hold = self.holds.pop(0)
        actual = hold.amount if self.world.rule.measure == "requests" else int(hold.amount * part)
        in_flight = self.share.rule.measure == "concurrent"
        give_back([hold], {self.share.measure: 0 if in_flight else actual})
        self.share.gives_way()
        self.world.spent += actual

    def hand_over(self) -> None:
        if self.holds:
            hold = self.holds.pop(0)
            assert self.share.hand_over(hold) == 0
            self.world.handed.append(hold.amount)

    def ask(self, *, closing: bool = False) -> None:
        if self.turns is None:
            self.turns = self.share.turns(self.world.now_us, closing=closing)
            self.done = []

    def carry_out(self) -> None:
        """The store commits the transaction; its answer is still on its way."""
        if self.turns is None or self.done:
            return
        self.committed_at_us = self.world.now_us
        for turn in self.turns:
            standing = self.world.standings.setdefault(turn.period.start_us, Standing())
            self.done.append(
                take_turn(
                    standing,
                    self.world.rule.window,
                    self.world.rule.limit,
                    turn.ask,
                    holder=self.name,
                    processes=len(self.world.processes),
                    now_us=self.world.now_us,
                    ends_us=turn.period.end_us,
                )
            )

    def hear(self, *, lost: bool) -> None:
        if self.turns is None or not self.done:
            return
        for turn, answer in zip(self.turns, self.done, strict=True):
            if lost or answer is None:
                self.share.unanswered(turn)
            else:
                self.share.answered(turn, answer, self.committed_at_us)
        self.share.demand = self.share.line_demand = self.share.line_least = 0
        self.turns = None

    def die(self) -> None:
        """Killed: what it had is gone with it, and nothing is given back."""
        self.world.spent += sum(hold.amount for hold in self.holds)
        if self.world.rule.window == "now":
            self.world.spent = 0
        fresh = Process(self.world, f"{self.name}'")
        self.world.processes[self.world.processes.index(self)] = fresh


JUMPS_US = (400_000, 1_500_000, 3_000_000, 61_000_000, 59_000_000)
KINDS = ("call",) * 8 + (
    "end",
    "end",
    "ask",
    "carry",
    "hear",
    "hear",
    "hear",
    "lost",
    "later",
    "later",
)


def steps_of(seed: int, kinds: tuple[str, ...] = (*KINDS, "die")) -> list[Step]:
    """Far longer than Hypothesis would make its own lists, and so far enough to use a limit up."""
    random = Random(seed)
    return [
        (random.choice(kinds), random.randrange(4), random.randint(1, 12), random.random())
        for _ in range(300)
    ]


def run(world: World, steps: list[Step]) -> None:
    for step, which, amount, part in steps:
        process = world.processes[which % len(world.processes)]
        match step:
            case "call":
                process.call(1 if world.rule.measure in ("requests", "concurrent") else amount)
            case "end":
                process.end(part)
            case "ask":
                process.ask()
            case "carry":
                process.carry_out()
            case "hear":
                process.ask()
                process.carry_out()
                process.hear(lost=False)
            case "lost":
                process.hear(lost=True)
            case "die":
                process.die()
            case "hand":
                process.hand_over()
            case "settle":
                world.settle_handed(part)
            case "later":
                world.now_us += int(part * JUMPS_US[amount % len(JUMPS_US)])
        world.check()


@given(SEEDS, st.integers(1, 120), st.integers(1, 4))
@settings(max_examples=300, deadline=None)
def test_a_budget_is_never_exceeded(seed, limit, processes):
    run(World("nanousd", "total", limit, processes), steps_of(seed))


@given(SEEDS, st.integers(1, 60), st.integers(1, 4))
@settings(max_examples=400, deadline=None)
def test_no_sixty_seconds_see_more_calls_than_a_limit_by_the_minute_allows(seed, limit, processes):
    run(World("requests", "minute", limit, processes), steps_of(seed))


@given(SEEDS, st.integers(1, 20), st.integers(1, 4))
@settings(max_examples=200, deadline=None)
def test_never_more_calls_are_in_flight_than_allowed(seed, limit, processes):
    # Who is killed is noticed later, and who stalls as long as that is taken for dead.
    kinds = ("call", "call", "end", "hear", "ask", "carry")
    run(World("concurrent", "now", limit, processes), steps_of(seed, kinds))


@given(SEEDS, st.integers(1, 200))
@settings(max_examples=200, deadline=None)
def test_when_every_process_has_left_exactly_what_was_used_is_taken(seed, limit):
    world = World("tokens", "total", limit, 3)
    kinds = tuple(kind for kind in KINDS if kind != "lost")
    run(world, steps_of(seed, (*kinds, "hand", "settle")))
    while world.handed:
        world.settle_handed(0.5)
    for process in world.processes:
        while process.holds:
            process.end(0.5)
        process.carry_out()
        process.hear(lost=False)
        process.ask(closing=True)
        process.carry_out()
        process.hear(lost=False)
        assert process.share.available == 0
        assert process.share.quiet
    standing = world.standings[0]
    assert standing.taken == standing.spent == world.spent
    assert not standing.holders


@given(SEEDS, st.integers(1, 120), st.integers(1, 4))
@settings(max_examples=200, deadline=None)
def test_what_is_paid_for_later_never_leads_to_an_overspend(seed, limit, processes):
    world = World("tokens", "total", limit, processes)
    run(world, steps_of(seed, (*KINDS, "die", "hand", "hand", "settle")))


def test_what_a_call_needs_does_not_go_back_while_it_waits_for_something_else():
    """Of several shares it would else lack one after the other, and never hold all at once."""
    world = World("requests", "total", 100, 1)
    process = world.processes[0]
    process.call(1)
    process.ask()
    process.carry_out()
    process.hear(lost=False)
    share = process.share
    share.demand = share.available
    world.now_us += 5_000_000
    held = share.available
    assert held
    assert not share.due(world.now_us)
    process.ask()
    assert share.available == held
    process.carry_out()
    process.hear(lost=False)
    share.demand = 0
    assert share.due(world.now_us)
    process.ask()
    assert share.available == 0


def test_the_whole_of_a_budget_can_be_used_whichever_process_calls():
    world = World("requests", "total", 100, 4)
    asked = 0
    while asked < 400:
        process = world.processes[asked % 4]
        asked += 1
        if not process.share.fits(1, world.now_us):
            process.call(1)
            process.ask()
            process.carry_out()
            process.hear(lost=False)
        if process.share.fits(1, world.now_us):
            process.call(1)
        world.now_us += 10_000
        world.check()
    assert world.in_flight == 100


def test_a_killed_process_takes_no_more_with_it_than_its_share():
    world = World("requests", "total", 1000, 2)
    first = world.processes[0]
    first.call(1)
    first.ask()
    first.carry_out()
    first.hear(lost=False)
    taken = world.standings[0].taken
    assert 1 <= taken <= 250, "at most half of one's part is handed out at once"
    first.die()
    assert world.standings[0].taken == taken, "what it might have spent counts as spent"


def test_calls_in_flight_end_with_their_process():
    world = World("concurrent", "now", 2, 2)
    first, second = world.processes
    for _ in range(2):
        first.call(1)
        first.ask()
        first.carry_out()
        first.hear(lost=False)
        first.call(1)
    assert len(first.holds) == 2
    first.die()
    second.call(1)
    second.ask()
    second.carry_out()
    second.hear(lost=False)
    assert not second.share.fits(1, world.now_us)
    world.now_us += 31_000_000
    second.call(1)
    second.ask()
    second.carry_out()
    second.hear(lost=False)
    assert second.share.fits(1, world.now_us)


def test_a_place_that_gets_free_goes_to_a_process_whose_line_has_none():
    world = World("concurrent", "now", 2, 2)
    busy, other = world.processes
    for _ in range(2):
        busy.call(1)
        take_a_turn(busy)
        busy.call(1)
    assert len(busy.holds) == 2
    other.call(1)
    take_a_turn(other)
    busy.call(1)
    take_a_turn(busy)
    busy.end(0)
    assert not busy.share.fits(1, world.now_us), "its own line does not get it"
    take_a_turn(busy)
    other.call(1)
    take_a_turn(other)
    assert other.share.fits(1, world.now_us)
    other.call(1)
    busy.call(1)
    take_a_turn(busy)
    busy.end(0)
    assert busy.share.fits(1, world.now_us), "one each is even"


def take_a_turn(process: Process) -> None:
    process.ask()
    process.carry_out()
    process.hear(lost=False)


def test_what_a_call_used_beyond_its_reserve_is_owed():
    world = World("tokens", "total", 100, 1)
    process = world.processes[0]
    process.call(10)
    process.ask()
    process.carry_out()
    process.hear(lost=False)
    process.call(10)
    give_back([process.holds.pop()], {process.share.measure: 150})
    process.ask()
    process.carry_out()
    process.hear(lost=False)
    assert world.standings[0].taken >= 100
    process.call(1)
    process.ask()
    process.carry_out()
    process.hear(lost=False)
    assert not process.share.fits(1, world.now_us)


@given(st.integers(-(10**9), 10**9))
def test_a_clock_that_jumps_neither_frees_nor_breaks_a_limit(jump_us):
    world = World("requests", "minute", 5, 1)
    process = world.processes[0]
    for _ in range(8):
        process.call(1)
        process.ask()
        process.carry_out()
        process.hear(lost=False)
    before = copy.deepcopy(world.standings[0])
    world.now_us += jump_us
    process.ask()
    process.carry_out()
    process.hear(lost=False)
    after = world.standings[0]
    assert 0 <= after.taken <= 5
    if -MINUTE_US // 2 < jump_us < 0:
        assert after.taken >= min(before.taken, len(process.holds))

"""Who waits in line is served by priority, fairly between projects, and in order within one."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from headgate.config.allowances import Priority
from headgate.ledger.allowances.line import PRIORITIES, Line


class Waiting(NamedTuple):
    name: int
    project: str = "a"
    priority: Priority = "normal"


def served(line: Line[Waiting]) -> list[Waiting]:
    order = []
    while (waiter := line.first) is not None:
        line.served(waiter)
        order.append(waiter)
    return order


def test_projects_take_turns_however_many_calls_one_has():
    line: Line[Waiting] = Line()
    for number in range(4):
        line.join(Waiting(number, "busy"))
    line.join(Waiting(10, "quiet"))
    line.join(Waiting(11, "quiet"))
    names = [(waiter.project, waiter.name) for waiter in served(line)]
    assert names == [
        ("busy", 0), ("quiet", 10), ("busy", 1), ("quiet", 11), ("busy", 2), ("busy", 3),
    ]  # fmt: skip


def test_a_person_goes_before_the_night_shift():
    line: Line[Waiting] = Line()
    line.join(Waiting(1, "a", "bulk"))
    line.join(Waiting(2, "a", "normal"))
    line.join(Waiting(3, "b", "interactive"))
    assert [waiter.name for waiter in served(line)] == [3, 2, 1]


def test_who_gives_up_leaves_no_gap():
    line: Line[Waiting] = Line()
    first, second = Waiting(1), Waiting(2)
    line.join(first)
    line.join(second)
    line.leave(first)
    line.leave(first)
    assert len(line) == 1
    assert served(line) == [second]
    assert not line


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(PRIORITIES), st.booleans()), max_size=60
    )
)
def test_everybody_who_stays_is_served_once(arrivals):
    line: Line[Waiting] = Line()
    waiters = [Waiting(n, project, priority) for n, (project, priority, _) in enumerate(arrivals)]
    for waiter in waiters:
        line.join(waiter)
    for waiter, (_, _, leaves) in zip(waiters, arrivals, strict=True):
        if leaves:
            line.leave(waiter)
    staying = [w for w, (_, _, leaves) in zip(waiters, arrivals, strict=True) if not leaves]
    assert len(line) == len(staying)
    order = served(line)
    assert sorted(order) == sorted(staying)
    for project in "abc":
        for priority in PRIORITIES:
            mine = [w.name for w in order if (w.project, w.priority) == (project, priority)]
            assert mine == sorted(mine)

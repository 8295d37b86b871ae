"""Which of the processes that carry runs are taken for dead."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from headgate.workflows.durable import leases
from headgate.workflows.durable.leases import (
    BEAT_S,
    LEASE_S,
    Executor,
    Steadiness,
    Whereabouts,
    is_dead,
)

NOW_US = 1_800_000_000_000_000
_LEASE_US = int(LEASE_S * 1_000_000)


def executor(place: str = "here", process: str = "7 100", *, ago_us: int = 0) -> Executor:
    return Executor("executor_1", Whereabouts(place, process), NOW_US - ago_us)


@given(st.integers(0, _LEASE_US), st.sampled_from(["", "here"]), st.sampled_from([None, "7 1"]))
def test_one_elsewhere_is_believed_for_its_lease(ago_us, here, running):
    assert not is_dead(executor("there", ago_us=ago_us), NOW_US, here, running)
    assert is_dead(executor("there", ago_us=_LEASE_US + 1), NOW_US, here, running)


def test_one_here_that_is_gone_is_known_to_be_dead_at_once():
    assert is_dead(executor(), NOW_US, "here", None)
    # Its number was given to another process meanwhile.
    assert is_dead(executor(), NOW_US, "here", "7 200")
    assert not is_dead(executor(), NOW_US, "here", "7 100")


def test_where_nothing_is_known_of_processes_only_the_lease_counts():
    assert not is_dead(executor("", ""), NOW_US, "", None)
    assert not is_dead(executor("here", ""), NOW_US, "here", None)


def test_a_process_is_told_from_one_that_has_ended():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    alive = leases._process(child.pid)
    assert alive is not None
    assert alive == leases._process(child.pid)
    child.communicate(b"\n")
    assert leases._process(child.pid) is None
    assert Whereabouts.mine().process


@given(st.lists(st.floats(0.1, 3 * LEASE_S), min_size=1, max_size=40))
def test_who_was_not_heard_itself_does_not_judge_others(pauses):
    steadiness, now_s, unbroken_since_s = Steadiness(), 1000.0, 1000.0
    steadiness.beaten(now_s)
    for pause_s in pauses:
        now_s += pause_s
        if pause_s > LEASE_S / 2:
            assert not steadiness.is_steady(now_s)
            unbroken_since_s = now_s
        steadiness.beaten(now_s)
        assert steadiness.is_steady(now_s) == (now_s - unbroken_since_s > LEASE_S)


def test_one_that_beats_as_it_should_soon_judges():
    steadiness = Steadiness()
    assert not steadiness.is_steady(0.0)
    beats = int(LEASE_S / BEAT_S) + 2
    for beat in range(beats):
        steadiness.beaten(beat * BEAT_S)
    assert steadiness.is_steady(beats * BEAT_S)

"""Addresses that keep us waiting keep no quick one waiting, and no other slow one."""

from __future__ import annotations

from headgate.workflows.durable.webhook_lanes import QUICK_AT_ONCE, SLOW_AT_ONCE, Lanes


def hanging(*urls: str) -> Lanes:
    """Lanes of which each of `urls` was sent something a second ago."""
    lanes = Lanes()
    for number, url in enumerate(urls):
        lanes.began(f"{url} {number}", url, 0.0)
    lanes.look(1.0)
    return lanes


def test_what_is_under_way_takes_room_of_the_quick_ones_only_while_it_may_be_quick():
    lanes = Lanes()
    for number in range(QUICK_AT_ONCE):
        lanes.began(str(number), f"u{number}", 0.0)
    lanes.look(0.1)
    assert (lanes.quick_room, lanes.slow) == (0, ())
    lanes.look(1.0)
    assert (lanes.quick_room, len(lanes.slow)) == (QUICK_AT_ONCE, QUICK_AT_ONCE)
    assert lanes.slow_room == SLOW_AT_ONCE - QUICK_AT_ONCE


def test_a_slow_address_is_sent_the_next_when_the_last_is_over():
    lanes = hanging("a", "b")
    assert lanes.slow_free == ()
    lanes.ended("a 0", 10.0)
    assert (lanes.slow, lanes.slow_free) == (("a", "b"), ("a",))


def test_an_address_that_was_slow_is_quick_again_when_something_arrives_quickly():
    lanes = hanging("a")
    lanes.ended("a 0", 10.0)
    lanes.began("again", "a", 11.0)
    lanes.ended("again", 11.1)
    assert (lanes.slow, lanes.quick_room) == ((), QUICK_AT_ONCE)


def test_never_more_are_under_way_than_there_is_room_for_and_few_are_remembered():
    lanes = hanging(*map(str, range(1000)))
    assert lanes.slow_room == 0
    assert len(lanes.slow) <= 256

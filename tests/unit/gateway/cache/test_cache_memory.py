"""The memory of the cache is bounded in bytes and gives nothing that has expired or was cleared."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from kept_answers import NOW_US, an_entry

from headgate.gateway.cache.clearing import Clearing, Clearings
from headgate.gateway.cache.entry import packed, unpacked
from headgate.gateway.cache.memory import Memory

LIMIT = 10_000


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["put", "get", "discard"]), st.integers(0, 7), st.integers(0, 6_000)
        ),
        max_size=60,
    )
)
def test_it_never_holds_more_than_its_bound(steps: list[tuple[str, int, int]]):
    memory = Memory(LIMIT)
    for what, number, size in steps:
        key = bytes([number])
        if what == "put":
            memory.put(key, an_entry(body=b"x" * size))
        elif what == "get":
            memory.get(key, NOW_US)
        else:
            memory.discard(key)
        assert memory.size_bytes <= LIMIT
    memory.discard_where(lambda _: True)
    assert (memory.size_bytes, len(memory)) == (0, 0)


def test_the_one_unused_longest_goes_first():
    memory = Memory(LIMIT)
    for name in (b"a", b"b", b"c"):
        memory.put(name, an_entry(body=b"x" * 2_000))
    memory.get(b"a", NOW_US)
    memory.put(b"d", an_entry(body=b"x" * 2_000))
    assert memory.get(b"b", NOW_US) is None
    assert all(memory.get(name, NOW_US) for name in (b"a", b"c", b"d"))


def test_what_is_larger_than_all_of_it_is_not_kept():
    memory = Memory(LIMIT)
    memory.put(b"a", an_entry())
    memory.put(b"b", an_entry(body=b"x" * LIMIT))
    assert memory.get(b"a", NOW_US) is not None
    assert memory.get(b"b", NOW_US) is None


def test_an_expired_answer_is_usable_only_as_long_as_it_was_said():
    memory = Memory(LIMIT)
    memory.put(b"a", an_entry(fresh_until_us=NOW_US + 5, usable_until_us=NOW_US + 10))
    entry = memory.get(b"a", NOW_US + 7)
    assert entry is not None
    assert not entry.fresh(NOW_US + 7)
    assert memory.get(b"a", NOW_US + 10) is None
    assert len(memory) == 0


def test_a_clearing_covers_what_fits_everything_it_names():
    entry = an_entry(workflow="triage", tags=("faq", "de"), model="gpt-5-mini")
    assert Clearing(at_us=NOW_US).covers(entry)
    assert Clearing(at_us=NOW_US, project="support", workflow="triage").covers(entry)
    assert Clearing(at_us=NOW_US, prefix="gpt-5", tag="de").covers(entry)
    assert not Clearing(at_us=NOW_US, project="sales").covers(entry)
    assert not Clearing(at_us=NOW_US, workflow="report").covers(entry)
    assert not Clearing(at_us=NOW_US, prefix="gpt-4").covers(entry)
    assert not Clearing(at_us=NOW_US, tag="fa").covers(entry)


def test_an_answer_that_was_asked_for_before_a_clearing_and_came_after_it_is_cleared():
    clearings = Clearings()
    clearings.add(Clearing(at_us=NOW_US + 1))
    assert clearings.cover(an_entry(asked_at_us=NOW_US))
    assert not clearings.cover(an_entry(asked_at_us=NOW_US + 2))


def test_an_entry_comes_out_of_a_store_as_it_went_in():
    entry = an_entry(tags=("a",), workflow="triage", cost_nanousd=None)
    assert unpacked(packed(entry)) == entry


def test_what_another_version_wrote_is_not_read():
    assert unpacked(packed(an_entry())[:-1]) is None
    assert unpacked(b"\x92\xa5other\xc0") is None
    assert unpacked(b"") is None

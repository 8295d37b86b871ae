"""Whatever the text, findings are in its order, apart from each other, and what stands there."""

from __future__ import annotations

import sys
import threading
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from headgate.checks.detection import Detector
from headgate.checks.detection.finding import Finding, joined, without_overlaps

DETECTOR = Detector(least_score=30)

PLANTED = {
    "email": "jane.roe@example.com",
    "payment_card": "4242 4242 4242 4242",
    "iban": "DE89 3704 0044 0532 0130 00",
    "national_id": "078-05-1121",
    "ip_address": "203.0.113.7",
    "mac_address": "00:1A:2B:3C:4D:5E",
    "secret": "ghp_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dE3fG6",
    "phone": "+44 20 7946 0958",
}

PIECES = st.sampled_from(
    [
        *"0123456789 .,:;-+/@#()[]{}<>=_'\"\n\t",
        *("é", "日", "\u200b", "\u00a0", "\ud800", "🙂", "ß", "İ"),
        *("a", "Z", "sk-", "eyJ", "-----BEGIN PRIVATE KEY-----", "born ", "password: ", "IBAN DE"),
        *("Mr. ", "Dear Jane", "tel ", "P<", "://u:p@", "NHS ", "Bearer ", "路12号", "我叫王"),
    ]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=80).map("".join))


@settings(deadline=None, max_examples=60)
@given(TEXTS)
@example("a@" * 50)
@example("4242 " * 60)
def test_findings_are_in_order_and_apart(text):
    found = DETECTOR.find(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(30 <= one.score <= 100 for one in found)
    assert found == DETECTOR.find(text)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(PLANTED)), TEXTS, TEXTS)
def test_a_value_between_other_things_is_never_lost(kind, before, behind):
    # Line breaks and a bar part the value from what might make it a piece of something longer.
    value = PLANTED[kind]
    text = f"{before}\n|\n{value}\n|\n{behind}"
    at = text.index(f"\n|\n{value}\n|\n") + 3
    covered = set()
    for one in DETECTOR.find(text):
        covered |= set(range(one.start, one.end))
    assert set(range(at, at + len(value))) <= covered


FINDINGS = st.lists(
    st.builds(
        lambda kind, start, length, score: Finding(kind, start, start + length, score),
        st.sampled_from("abc"),
        st.integers(0, 40),
        st.integers(1, 20),
        st.integers(0, 100),
    ),
    max_size=12,
)


@given(FINDINGS, st.randoms())
def test_overlaps_end_the_same_way_in_any_order(findings, source):
    shuffled = list(findings)
    source.shuffle(shuffled)
    kept = without_overlaps(findings)
    assert without_overlaps(shuffled) == kept
    assert all(one.end <= other.start for one, other in pairwise(kept))
    if findings:
        assert max(one.score for one in findings) == max(one.score for one in kept)


@given(FINDINGS)
def test_two_parts_of_a_kind_are_hidden_whole(findings):
    whole = joined(findings)
    for one in findings:
        assert any(
            one.kind == other.kind
            and other.start <= one.start
            and one.end <= other.end
            and one.score <= other.score
            for other in whole
        )


def test_the_higher_score_wins_then_the_longer():
    low, high, longer = Finding("a", 0, 9, 60), Finding("b", 2, 5, 90), Finding("c", 2, 7, 90)
    assert without_overlaps([low, high]) == [high]
    assert without_overlaps([low, high, longer]) == [longer]


def test_a_detector_serves_many_threads_at_once():
    text = "\n".join(f"{kind} {value}" for kind, value in PLANTED.items()) * 20
    expected = DETECTOR.find(text)
    results: list[list[Finding]] = []
    threads = [
        threading.Thread(target=lambda: results.append(DETECTOR.find(text))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(expected) >= 100
    assert results == [expected] * 8


def test_what_loads_late_can_be_loaded_early():
    detector = Detector(["phone"])
    detector.warm_up()
    assert "phonenumbers" in sys.modules


class OutOfMemory:
    """RE2's set where its memory ran out: it says that nothing matched."""

    def Match(self, data):  # noqa: N802
        return None


def test_nothing_is_lost_where_the_prefilter_runs_out_of_memory():
    detector = Detector()
    text = " ; ".join(PLANTED.values())
    expected = detector.find(text)
    for family, _ in detector._gates._families:
        family._set = OutOfMemory()
    assert detector.find(text) == expected

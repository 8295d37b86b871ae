"""The index finds the earlier question that is most like a new one, within its bounds."""

from __future__ import annotations

import random
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.gateway.cache.semantic.index import Kept, VectorIndex

_numbers = st.floats(-1, 1, allow_nan=False, width=32)
_vectors = st.lists(_numbers, min_size=8, max_size=8).filter(
    lambda vector: sum(n * n for n in vector) > 1e-3
)


def cosine(one: list[float], other: list[float]) -> float:
    lengths = sqrt(sum(n * n for n in one)) * sqrt(sum(n * n for n in other))
    return sum(a * b for a, b in zip(one, other, strict=True)) / lengths


@settings(deadline=None)
@given(st.lists(_vectors, min_size=1, max_size=20), _vectors)
def test_the_nearest_of_a_few_is_the_nearest(vectors: list[list[float]], asked: list[float]):
    index = VectorIndex(100)
    for number, vector in enumerate(vectors):
        index.add(b"b", vector, Kept(bytes([number]), None))
    found = index.nearest(b"b", asked)
    assert found is not None
    best = max(cosine(vector, asked) for vector in vectors)
    assert found.similarity == pytest.approx(best, abs=1e-5)


def test_one_that_is_much_alike_is_found_among_many():
    draw = random.Random(7)
    index = VectorIndex(2_000)
    vectors = [[draw.gauss(0, 1) for _ in range(256)] for _ in range(1_000)]
    for number, vector in enumerate(vectors):
        index.add(b"b", vector, Kept(number.to_bytes(4), f"run_{number}"))
    for number in range(0, 1_000, 50):
        asked = [n + draw.gauss(0, 0.3) for n in vectors[number]]
        found = index.nearest(b"b", asked)
        assert found is not None
        assert found.kept.run_id == f"run_{number}"
        assert found.similarity > 0.9


def test_other_bounds_are_never_looked_at():
    index = VectorIndex(10)
    index.add(b"one", [1, 0], Kept(b"k", None))
    assert index.nearest(b"other", [1, 0]) is None


def test_vectors_of_another_size_are_not_compared():
    index = VectorIndex(10)
    index.add(b"b", [1, 0], Kept(b"k", None))
    assert index.nearest(b"b", [1, 0, 0]) is None


def test_the_oldest_goes_first():
    index = VectorIndex(2)
    for number in (1, 2, 3):
        index.add(b"b", [float(number), 1], Kept(bytes([number]), None))
    assert len(index) == 2
    found = index.nearest(b"b", [1, 1])
    assert found is not None
    assert found.kept.key == bytes([2])


def test_what_is_discarded_is_gone():
    index = VectorIndex(2)
    index.add(b"b", [1, 0], Kept(b"k", None))
    index.add(b"b", [0, 1], Kept(b"k", None))
    assert len(index) == 1
    index.discard(b"k")
    index.discard(b"k")
    assert index.nearest(b"b", [1, 0]) is None


@pytest.mark.parametrize("vector", [[0.0, 0.0], [float("inf"), 1.0], [float("nan"), 1.0], []])
def test_a_vector_that_is_none_is_left_out(vector: list[float]):
    index = VectorIndex(2)
    index.add(b"b", vector, Kept(b"k", None))
    assert len(index) == 0
    assert index.nearest(b"b", vector) is None

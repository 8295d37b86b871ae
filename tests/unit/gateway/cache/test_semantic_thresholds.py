"""What is done with the earlier question that is most alike depends on how much it is."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from kept_answers import an_entry

from headgate.config.caching import SemanticSettings
from headgate.gateway.cache.semantic.index import Kept
from headgate.gateway.cache.semantic.inquiry import Inquiry
from headgate.gateway.cache.semantic.question import Question
from headgate.gateway.cache.semantic.similar import SimilarAnswers, same_answer
from headgate.gateway.call import Call
from headgate.gateway.caller import Caller

CALL = Call(Caller("key", "support", "app"), "chat/completions", trace_id="0")


class Embedding:
    """Gives one vector, or none."""

    def __init__(self, vector: Sequence[float] | None) -> None:
        self.vector = vector

    async def embed(self, call: Call, text: str) -> Sequence[float] | None:
        return self.vector


async def looked(vector: Sequence[float] | None, threshold: float) -> tuple[bool, bool]:
    """Whether the earlier question with the vector (1, 0) is enough; whether it is near."""
    settings = SemanticSettings(embeddings="e", workflows={"labels": threshold}, report_from=0.7)
    similar = SimilarAnswers(settings, Embedding(vector))
    similar.index.add(b"b", [1, 0], Kept(b"k", "run_1"))
    inquiry = Inquiry(Question(b"b", "text"), threshold)
    found = await similar.look(CALL, inquiry)
    return found is not None, inquiry.alike is not None


@pytest.mark.parametrize(
    ("vector", "threshold", "enough", "near"),
    [
        ([1, 0], 0.9, True, True),
        ([0.9, 0.1], 0.99, True, True),
        ([0.8, 0.6], 0.9, False, True),
        ([0.6, 0.8], 0.9, False, False),
        ([1, 0], 1.0, False, True),
        (None, 0.9, False, False),
    ],
)
async def test_thresholds(
    vector: Sequence[float] | None, threshold: float, enough: bool, near: bool
):
    assert await looked(vector, threshold) == (enough, near)


async def test_a_question_is_remembered_once_it_is_answered():
    settings = SemanticSettings(embeddings="e", workflows={"labels": 0.9})
    similar = SimilarAnswers(settings, Embedding([1, 0]))
    first, second = (Inquiry(Question(b"b", "text"), 0.9) for _ in range(2))
    assert await similar.look(CALL, first) is None
    similar.answered(CALL, first, b"k")
    assert await similar.look(CALL, second) == Kept(b"k", None)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ('{"a":1,"b":2}', '{"b": 2, "a": 1}', True),
        ('{"a":1}', '{"a":2}', False),
        ("Yes.", "Yes.", True),
        ("Yes.", "yes", False),
    ],
)
def test_answers_are_the_same_as_json(one: str, other: str, same: bool):
    import json

    entries = [
        an_entry(body=json.dumps({"choices": [{"message": {"content": text}}]}).encode())
        for text in (one, other)
    ]
    assert same_answer(*entries) is same


def test_an_answer_of_an_unknown_shape_is_like_itself_alone():
    strange = an_entry(body=b'{"choices":[{"message":{"content":[1]}}]}')
    assert same_answer(strange, strange)
    assert not same_answer(strange, an_entry(body=b'{"choices":[]}'))

"""Moderations: harm is flagged by its words, in every form of input."""

from __future__ import annotations

import openai
import pytest

from headgate.simulator.text.harm import CATEGORIES, harm_scores


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("You are an idiot and a loser.", "harassment"),
        ("I know where you live, watch your back.", "harassment/threatening"),
        ("They are subhuman.", "hate"),
        ("We should exterminate them all.", "hate/threatening"),
        ("Tell me how to shoplift.", "illicit"),
        ("Explain how to build a bomb.", "illicit/violent"),
        ("I think about suicide.", "self-harm"),
        ("I want to end my life.", "self-harm/intent"),
        ("Describe ways to kill yourself.", "self-harm/instructions"),
        ("A pornographic story, please.", "sexual"),
        ("I will kill him.", "violence"),
        ("There were guts spilled over the floor.", "violence/graphic"),
    ],
)
def test_harm_is_flagged_in_its_category(client: openai.OpenAI, text: str, category: str):
    (result,) = client.moderations.create(input=text).results
    assert result.flagged
    flags = result.categories.model_dump(by_alias=True)
    scores = result.category_scores.model_dump(by_alias=True)
    assert flags[category]
    assert scores[category] >= 0.5


@pytest.mark.parametrize(
    "text",
    [
        "Our invoice for March is missing.",
        "How do I kill a process in Linux?",
        "The deadline is killing our schedule.",
        "",
    ],
)
def test_harmless_texts_are_not_flagged(client: openai.OpenAI, text: str):
    (result,) = client.moderations.create(input=text).results
    assert not result.flagged


def test_scores_are_the_same_again_and_never_zero_or_one():
    for text in ("hello", "I will kill you, murder, massacre, torture, slaughter"):
        scores = harm_scores(text)
        assert scores == harm_scores(text)
        assert tuple(scores) == CATEGORIES
        assert all(0 < score < 1 for score in scores.values())


def test_several_texts_get_a_result_each(client: openai.OpenAI):
    reply = client.moderations.create(input=["hello", "I will kill you"])
    assert [result.flagged for result in reply.results] == [False, True]


def test_parts_get_one_result_that_says_what_it_applies_to(client: openai.OpenAI):
    reply = client.moderations.create(
        model="omni-moderation-latest",
        input=[
            {"type": "text", "text": "a picture"},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        ],
    )
    (result,) = reply.results
    assert result.category_applied_input_types.violence == ["text", "image"]
    assert result.category_applied_input_types.hate == ["text"]
    assert reply.model == "omni-moderation-2024-09-26"

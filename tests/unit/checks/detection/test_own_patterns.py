"""An operator's own patterns and words are found under their own names."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.checks.detection import Detector
from headgate.config.detection import OwnPatternSettings


def found(text, **settings):
    detector = Detector([], own=[OwnPatternSettings(name="mine", **settings)])
    return [text[one.start : one.end] for one in detector.find(text) if one.kind == "mine"]


def test_a_pattern_finds_its_whole_match():
    assert found("See KD-1234 and KD-99.", pattern=r"KD-\d{4}") == ["KD-1234"]


def test_where_a_pattern_has_a_group_the_group_is_found():
    assert found("customer 1234, order 5678", pattern=r"customer (\d{4})") == ["1234"]


def test_words_are_found_letter_by_letter():
    text = "Project Nordwind+ (Nordwind) and a.b but not axb"
    assert found(text, words=("Nordwind", "a.b")) == ["Nordwind", "Nordwind", "a.b"]


def test_of_two_words_that_begin_alike_the_longer_is_found():
    assert found("Acme Widgets", words=("Acme", "Acme Widgets")) == ["Acme Widgets"]


def test_small_and_capital_letters_differ_unless_told_otherwise():
    assert found("NORDWIND Ärger", words=("nordwind", "ärger")) == []
    assert found("NORDWIND Ärger", words=("nordwind", "ärger"), ignore_case=True) == [
        "NORDWIND",
        "Ärger",
    ]


@pytest.mark.parametrize("text", ["Nordwinde", "xNordwind", "ÄNordwind", "Nordwindé", "Nordwind2"])
def test_a_part_of_a_longer_word_is_none_unless_told_otherwise(text):
    assert found(text, words=("Nordwind",)) == []
    assert found(text, words=("Nordwind",), whole_words=False) == ["Nordwind"]


def test_words_of_chinese_have_no_borders():
    assert found("请联系北风项目组", words=("北风",), whole_words=False) == ["北风"]


def test_words_may_begin_and_end_with_signs():
    assert found("plans: C++, .NET and +1 (not C+++)", words=("C++", ".NET", "+1")) == [
        "C++",
        ".NET",
        "+1",
        "C++",
    ]


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("内部机密", "这是内部机密文件"),
        ("기밀", "이것은 기밀은"),
        ("Nordwind", "我们用Nordwind项目"),
    ],
)
def test_scripts_without_spaces_have_their_words_found(word, text):
    assert found(text, words=(word,)) == [word]


def test_ten_thousand_long_words_are_looked_up_and_not_tried():
    words = tuple(f"customer {number} of the long list {'x' * 150}" for number in range(10_000))
    detector = Detector([], own=[OwnPatternSettings(name="mine", words=words)])
    text = f"İ {words[77]}; " + "customer 12345 " * 5000
    began = time.thread_time()
    (one,) = detector.find(text)
    assert time.thread_time() - began < 0.5
    assert text[one.start : one.end] == words[77]


@given(
    st.lists(st.text(alphabet="abÄß日 +", min_size=1, max_size=5), min_size=1, max_size=6),
    st.text(alphabet="abÄäßẞ日 +İ", max_size=40),
    st.booleans(),
    st.booleans(),
)
def test_a_list_finds_words_as_one_would_look_for_them(words, text, ignore_case, whole_words):
    words = tuple(word for word in words if word.strip()) or ("a",)
    settings = OwnPatternSettings(
        name="mine", words=words, ignore_case=ignore_case, whole_words=whole_words
    )
    places = [(one.start, one.end) for one in Detector([], own=[settings]).find(text)]

    def small(value):
        lowered = (one.lower() if len(one.lower()) == 1 else one for one in value)
        return "".join(lowered) if ignore_case else value

    def are_one_word(two):
        return two.isalnum() and "日" not in two

    expected, at = [], 0
    while at < len(text):
        fitting = [
            len(word)
            for word in words
            if small(text[at : at + len(word)]) == small(word)
            and not (whole_words and at and are_one_word(text[at - 1 : at + 1]))
            and not (whole_words and are_one_word((text[at:] + " ")[len(word) - 1 :][:2]))
        ]
        if fitting:
            expected.append((at, at + max(fitting)))
        at += max(fitting, default=1)
    assert places == expected


def test_disguises_hide_own_values_no_more_than_others():
    text = "ＫＤ\u2013１２\u200b３４"
    assert found(text, pattern=r"KD-\d{4}") == [text]
    assert found("KD-1234", pattern="KD\u2013[0-9]{4}") == ["KD-1234"]


def test_an_own_score_decides_against_other_kinds():
    own = [OwnPatternSettings(name="customer_mail", pattern=r"\S+@shop\.example", score=100)]
    (one,) = Detector(["email"], own=own).find("jane@shop.example")
    assert one.kind == "customer_mail"


def test_a_pattern_that_may_match_nothing_finds_only_something():
    assert found("aab", pattern=r"\b(a*)", whole_words=False) == ["aa"]

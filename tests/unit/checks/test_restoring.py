"""Values come back exactly, wherever a stream is cut and however a model writes a placeholder."""

import itertools
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.iso7064 import mod_97_10

from headgate.checks.redaction.mapping import MAX_VALUES, Issued, Mapping, TooManyValuesError
from headgate.checks.redaction.restorer import Restorer, restored
from headgate.checks.redaction.stand_in import stand_in_for

ANNE = 'Anne "Annie" O\'Neil \\ <b>'


def a_mapping() -> Mapping:
    mapping = Mapping()
    mapping.placeholder_for("PERSON", ANNE)
    mapping.placeholder_for("PERSON", "Bob")
    mapping.placeholder_for("PAYMENT_CARD", "4111 1111 1111 1111")
    mapping.placeholder_for("EMAIL", "anne@example.com")
    return mapping


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "<PERSON_1>", "<PERSON_2>", "<PAYMENT_CARD_1>", "<EMAIL_1>", "<person 1>",
                "< Person-2 >", "<payment card_1>", "<PERSON_9>", "<PER", "<", ">", "<<", "\\",
                "\\\\", "\\u003c", "\\u003cPERSON_1\\u003e", "\\\\u003cPERSON_1\\u003e",
                "<PERSON_1\\u003E", "PERSON_1>", "<b>", "<EMAIL_", "1>", "<PERSON_0000001>",
                "<  PERSON__1  >", "<P E R S O N 1>", "<PERSON_1" + " " * 60, "u003", " ",
            ]
        ),
        st.text(alphabet="<>PERSON_1 \\u03ce-", max_size=12),
        st.text(max_size=6),
    ),
    max_size=8,
).map("".join)  # fmt: skip


@given(text=PIECES, in_json=st.booleans(), data=st.data())
def test_every_cut_gives_the_same_text(text: str, in_json: bool, data: st.DataObject) -> None:
    mapping = a_mapping()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    restorer = Restorer(mapping, in_json=in_json)
    edges = [0, *cuts, len(text)]
    told = "".join(restorer.feed(text[a:b]) for a, b in itertools.pairwise(edges))
    assert told + restorer.close() == restored(text, mapping, in_json=in_json)


@given(text=PIECES, in_json=st.booleans())
def test_character_by_character_gives_the_same_text(text: str, in_json: bool) -> None:
    mapping = a_mapping()
    restorer = Restorer(mapping, in_json=in_json)
    told = "".join(map(restorer.feed, text)) + restorer.close()
    assert told == restored(text, mapping, in_json=in_json)


def test_no_more_is_held_back_than_a_possible_placeholder() -> None:
    restorer = Restorer(a_mapping())
    assert restorer.feed("Dear <PER") == "Dear "
    assert restorer.feed("SON_2>, a < b") == "Bob, a < b"
    assert restorer.feed("ig, 3 <4, <b> and <e") == "ig, 3 <4, <b> and "
    assert restorer.feed("m>, ") == "<em>, "
    assert restorer.feed("<EMA") == ""
    assert restorer.feed("X") == "<EMAX"
    assert not restorer.held


def test_without_placeholders_nothing_is_held_back() -> None:
    assert Restorer(Mapping()).feed("Dear <PERSON_") == "Dear <PERSON_"


@pytest.mark.parametrize(
    "written",
    ["<PERSON_2>", "<person_2>", "<Person 2>", "< PERSON_2 >", "<PERSON-2>", "<PERSON2>"],
)
def test_an_altered_placeholder_is_understood(written: str) -> None:
    assert restored(f"Dear {written}!", a_mapping()) == "Dear Bob!"


def test_one_that_was_never_issued_is_left_alone() -> None:
    assert restored("<PERSON_3> <PLACE_1>", a_mapping()) == "<PERSON_3> <PLACE_1>"


def test_one_that_stood_in_the_input_is_never_issued() -> None:
    mapping = Mapping()
    mapping.avoid("What does <Person 1> mean in this template?")
    assert mapping.placeholder_for("PERSON", "Bob") == "<PERSON_2>"
    assert restored("<PERSON_1> is <PERSON_2>", mapping) == "<PERSON_1> is Bob"


@given(value=st.text(min_size=1), escaped=st.booleans())
def test_a_value_in_json_is_the_value_when_that_is_read(value: str, escaped: bool) -> None:
    mapping = Mapping([Issued("PERSON", 1, value)])
    written = "\\u003cPERSON_1\\u003e" if escaped else "<PERSON_1>"
    text = restored('{"to": "' + written + '"}', mapping, in_json=True)
    assert json.loads(text) == {"to": value}


def test_the_same_value_has_the_same_placeholder() -> None:
    mapping = Mapping()
    assert mapping.placeholder_for("PERSON", "Bob") == mapping.placeholder_for("PERSON", "Bob")
    again = Mapping(mapping.issued())
    assert again.placeholder_for("PERSON", "Bob") == "<PERSON_1>"
    assert again.placeholder_for("PERSON", "Eve") == "<PERSON_2>"


def test_a_mapping_shows_no_value_when_printed() -> None:
    mapping = a_mapping()
    assert "Bob" not in repr(mapping) + repr(mapping.issued())


def test_a_conversation_has_so_many_values_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_VALUES > 1000
    monkeypatch.setattr("headgate.checks.redaction.mapping.MAX_VALUES", 2)
    mapping = Mapping()
    mapping.placeholder_for("PERSON", "Bob")
    mapping.placeholder_for("PERSON", "Eve")
    with pytest.raises(TooManyValuesError):
        mapping.placeholder_for("PERSON", "Kim")
    assert mapping.placeholder_for("PERSON", "Bob") == "<PERSON_1>"


def draw(value: str) -> Callable[[int], str]:
    return lambda number: stand_in_for("phone", value, number, b"key")


def a_mapping_with_stand_ins() -> Mapping:
    mapping = a_mapping()
    for value in ("+49 30 1234567", 'Ann "A" Lee', "7", "Zoë \\ Fox"):
        mapping.stand_in_for("PHONE", value, draw(value))
    return mapping


@given(data=st.data(), in_json=st.booleans(), more=PIECES)
def test_stand_ins_are_put_back_wherever_the_text_is_cut(
    data: st.DataObject, in_json: bool, more: str
) -> None:
    mapping = a_mapping_with_stand_ins()
    told = [*list(mapping.stand_ins), "+", "A", more, "<PERSON_2>"]
    pieces = data.draw(st.lists(st.sampled_from(told), max_size=6))
    text = " ".join(json.dumps(one)[1:-1] if in_json else one for one in pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    restorer = Restorer(mapping, in_json=in_json)
    shown = "".join(restorer.feed(text[a:b]) for a, b in itertools.pairwise([0, *cuts, len(text)]))
    assert shown + restorer.close() == restored(text, mapping, in_json=in_json)


def test_a_stand_in_is_put_back() -> None:
    mapping = a_mapping_with_stand_ins()
    text = "Call " + next(iter(mapping.stand_ins)) + " today"
    assert text != "Call +49 30 1234567 today"
    assert restored(text, mapping) == "Call +49 30 1234567 today"


@pytest.mark.parametrize("number", ["4111 1111 1111 1111", "378282246310005"])
def test_a_cards_stand_in_has_a_right_check_digit(number: str) -> None:
    stand_in = stand_in_for("payment_card", number, 0, b"key")
    assert luhn.is_valid(stand_in.replace(" ", ""))
    assert stand_in != number
    assert stand_in == stand_in_for("payment_card", number, 0, b"key")
    assert stand_in != stand_in_for("payment_card", number, 0, b"another key")


def test_an_ibans_stand_in_has_right_check_digits() -> None:
    stand_in = stand_in_for("iban", "DE89 3704 0044 0532 0130 00", 0, b"key")
    assert stand_in.startswith("DE")
    assert mod_97_10.is_valid(stand_in.replace(" ", "")[4:] + stand_in[:4])

"""A leaked canary is seen however the answer is cut, and however a model is asked to tell it."""

from __future__ import annotations

import base64
import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.checks.injection.canary import CanaryWatch, leaked, new_canary, planted

TOKEN = "k7wqz2mbt9xd4hrp"
PROMPT = planted("You are the help desk. Be kind.", TOKEN)

TELLINGS = {
    "plain": ("plain", PROMPT),
    "capitals": ("plain", PROMPT.upper()),
    "spaced": ("plain", " ".join(PROMPT)),
    "dashes": ("plain", "-".join(PROMPT)),
    "a letter a line": ("plain", "\n".join(PROMPT)),
    "zero width": ("plain", "\u200b".join(PROMPT)),
    "reversed": ("reversed", PROMPT[::-1]),
    "rot13": ("rot13", codecs.encode(PROMPT, "rot13")),
    "hex": ("hex", PROMPT.encode().hex(" ")),
    "base64": ("base64", base64.b64encode(PROMPT.encode()).decode()),
    "base64, one on": ("base64", base64.b64encode(b"x" + PROMPT.encode()).decode()),
    "base64, two on": ("base64", base64.b64encode(b"xy" + PROMPT.encode()).decode()),
    "base64 in lines": ("base64", base64.encodebytes(PROMPT.encode()).decode()),
}


@pytest.mark.parametrize(("form", "told"), TELLINGS.values(), ids=TELLINGS)
def test_a_leak_is_seen_however_it_is_told(form: str, told: str):
    leak = leaked(f"Sure: {told}", [TOKEN])
    assert leak is not None
    assert (leak.form, leak.token) == (form, TOKEN)


@pytest.mark.parametrize("told", [told for _, told in TELLINGS.values()], ids=TELLINGS)
def test_every_cut_in_two_and_every_letter_alone_show_it(told: str):
    for cut in range(len(told) + 1):
        watch = CanaryWatch([TOKEN])
        hits = [watch.feed(told[:cut]), watch.feed(told[cut:])]
        assert any(hits)
    watch = CanaryWatch([TOKEN])
    assert any(watch.feed(letter) for letter in told)


@given(st.data())
def test_any_cuts_show_it_no_later_than_with_its_last_letter(data: st.DataObject):
    before = data.draw(st.text(max_size=40))
    text = f"{before} {TOKEN} and on"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    watch = CanaryWatch([TOKEN])
    fed = 0
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        hit = watch.feed(text[start:end])
        fed = end
        if hit:
            break
    assert hit
    assert fed <= len(text)


@given(st.text(max_size=300))
def test_an_answer_without_it_is_left_alone(text: str):
    assert leaked(text, [new_canary()]) is None


def test_part_of_it_is_no_leak():
    assert leaked(PROMPT.replace(TOKEN, TOKEN[:-1]), [TOKEN]) is None


def test_of_several_the_one_that_leaked_is_named():
    other = new_canary()
    leak = leaked(f"... {other} ...", [TOKEN, other])
    assert leak is not None
    assert leak.token == other


def test_it_is_the_first_thing_that_leaks():
    assert PROMPT.index(TOKEN) < 20
    assert PROMPT.endswith("Be kind.")

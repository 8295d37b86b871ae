"""Of a form that names what it must not, the provider never has the end, however it is cut."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import InvalidRequestError, PermissionDeniedError
from headgate.gateway.forms import FormReader
from headgate.gateway.objects.references import Reference
from headgate.gateway.objects.watched_form import WatchedForm

END = b"--x--\r\n"


def part(name: str, value: bytes, more: str = "") -> bytes:
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + value + b"\r\n"


FILE = part("file", b"bytes \r\n--y\r\n of a file", '; filename="a"')


class Source:
    length_bytes = None

    def __init__(self, body: bytes, cuts: list[int]) -> None:
        places = sorted({min(cut, len(body)) for cut in cuts} | {0, len(body)})
        self._pieces = [body[a:b] for a, b in pairwise(places)]

    async def next_chunk(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def passed_on(body: bytes, cuts: list[int]) -> tuple[bytes, Exception | None]:
    """What the provider was sent, and what stopped it."""
    seen = b""

    async def judge_object(named: Reference) -> None:
        if named.id != "mine":
            raise InvalidRequestError(named.id, param=named.field)

    def judge_models(models: tuple[str, ...]) -> None:
        if models != ("allowed",):
            raise PermissionDeniedError

    async def read() -> None:
        nonlocal seen
        form = WatchedForm(Source(body, cuts), FormReader(b"x"), judge_object, judge_models)
        while data := await form.next_chunk():
            seen += data

    try:
        # Nothing here waits, so no event loop is made for each example.
        with suppress(StopIteration):
            read().send(None)
    except (InvalidRequestError, PermissionDeniedError) as error:
        return seen, error
    return seen, None


CUTS = st.lists(st.integers(0, 400), max_size=12)
MODEL = part("model", b"allowed")


@given(CUTS, st.sampled_from([b"mine", b"theirs"]), st.sampled_from(["file_id", "video[id]"]))
def test_an_object_is_judged_before_the_form_can_be_complete(cuts, value, field):
    body = MODEL + part(field, value) + FILE + END
    seen, error = passed_on(body, cuts)
    if value == b"mine":
        assert (seen, error) == (body, None)
    else:
        assert isinstance(error, InvalidRequestError)
        assert error.param == field
        assert body.startswith(seen)
        assert len(seen) < len(MODEL + part(field, value) + b"--x\r\n")


@given(CUTS, st.sampled_from([b"", part("model", b"other"), MODEL + part("model", b"other")]))
def test_a_model_that_may_not_be_run_never_reaches_the_provider_whole(cuts, named):
    body = named + FILE + END
    seen, error = passed_on(body, cuts)
    assert error is not None
    assert seen != body
    assert body.startswith(seen)


@pytest.mark.parametrize("value", [b"\xff", "é".encode()])
def test_an_identifier_is_plain(value):
    seen, error = passed_on(MODEL + part("file_id", value) + END, [])
    assert seen == b""
    assert isinstance(error, InvalidRequestError)

"""A form is understood in one way only, wherever its bytes are cut."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import InvalidRequestError
from headgate.gateway.forms import FormReader, boundary_of

NAMES = st.sampled_from(["model", "prompt", "stream", "timestamp_granularities[]"])
VALUES = st.binary(max_size=40).map(lambda data: data.replace(b"-", b"_"))


def written(parts: list[tuple[str, bytes, bool]], boundary: bytes = b"x1") -> bytes:
    body = b""
    for name, value, is_file in parts:
        head = f'Content-Disposition: form-data; name="{name}"'
        if is_file:
            head += '; filename="a.wav"\r\nContent-Type: audio/wav'
        body += b"--%b\r\n%b\r\n\r\n%b\r\n" % (boundary, head.encode(), value)
    return body + b"--%b--\r\n" % boundary


def read(body: bytes, *cuts: int, boundary: bytes = b"x1") -> FormReader:
    reader = FormReader(boundary)
    edges = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    for start, end in pairwise(edges):
        reader.feed(body[start:end])
    reader.end()
    return reader


@given(
    st.lists(st.tuples(NAMES, VALUES, st.booleans()), max_size=5),
    st.lists(st.integers(min_value=0), max_size=12),
)
def test_the_fields_are_found_wherever_the_body_is_cut(parts, cuts):
    body = written(parts)
    reader = read(body, *cuts)
    texts = [(name, value) for name, value, is_file in parts if not is_file]
    assert [(field.name, field.value) for field in reader.fields] == texts
    files = [value for _, value, is_file in parts if is_file]
    assert [body[file.start : file.end] for file in reader.files] == files
    for file in reader.files:
        assert body[file.filename_start :].startswith(b'a.wav"')
        assert file.filename == b"a.wav"
    for field in reader.fields:
        assert body[field.start : field.start + len(field.value)] == field.value


@given(st.binary(max_size=400), st.lists(st.integers(min_value=0), max_size=5))
def test_whatever_comes_is_read_or_refused(body, cuts):
    with suppress(InvalidRequestError):
        read(b"--x1\r\n" + body, *cuts)


GOOD = written([("model", b"whisper-1", False), ("file", b"abc", True)])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        GOOD[:-8],
        b"preamble\r\n" + GOOD,
        GOOD + b"--x1\r\n",
        GOOD.replace(b"\r\n", b"\n"),
        GOOD.replace(b'name="model"', b"name=model"),
        GOOD.replace(b'name="model"', b"name*=utf-8''model"),
        GOOD.replace(b'name="model"', b'name="mo\\"del"'),
        GOOD.replace(b'name="model"', b'name="model"; name="prompt"'),
        GOOD.replace(b'name="model"', b'name="model"\r\nContent-Disposition: form-data; name="a"'),
        GOOD.replace(b'name="model"', b'name="model"\r\nContent-Transfer-Encoding: base64'),
        GOOD.replace(b"Content-Disposition", b"X-Disposition", 1),
        GOOD.replace(b"Content-Disposition", b" Content-Disposition", 1),
        GOOD.replace(b"--x1\r\n", b"--x1 \r\n", 1),
        written([("a", b"x" * (1024 * 1024 + 1), False)]),
        written([("a", b"", False)] * 1001),
        b"--x1\r\nContent-Disposition: form-data; name=" + b'"a"' + b";" * 9000,
    ],
)
def test_what_two_readers_might_understand_in_two_ways_is_refused(body):
    with pytest.raises(InvalidRequestError):
        read(body)


def test_a_file_may_be_as_long_as_it_likes():
    reader = FormReader(b"x1")
    reader.feed(b'--x1\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n')
    for _ in range(100):
        reader.feed(b"\r\n--x" * 10_000)
    reader.feed(b"\r\n--x1--")
    reader.end()
    assert reader.fields == []


def test_a_field_that_is_no_text_is_named():
    reader = read(written([("prompt", b"\xff", False)]))
    with pytest.raises(InvalidRequestError) as refused:
        reader.texts()
    assert refused.value.param == "prompt"


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        (b"multipart/form-data; boundary=abc", b"abc"),
        (b"Multipart/Form-Data;boundary=abc", b"abc"),
        (b'multipart/form-data; boundary="a b"', b"a b"),
        (b"multipart/form-data", None),
        (b"multipart/form-data; boundary=", None),
        (b"multipart/form-data; boundary=" + b"x" * 71, None),
        (b"multipart/form-data; boundary=a; boundary=b", None),
        (b"multipart/mixed; boundary=a", None),
        (b"application/json", None),
    ],
)
def test_the_boundary_is_what_the_content_type_says(content_type, boundary):
    assert boundary_of(content_type) == boundary

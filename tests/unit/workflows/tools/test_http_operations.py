"""Whatever a model writes as an argument stays the one value that it stands for."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headgate.workflows.tools.http_operation import ArgumentError, HttpOperation

ORDER = HttpOperation(method="GET", path="/shops/{shop}/orders/{order}.json")
HOSTILE = st.one_of(
    st.text(max_size=20),
    st.text(alphabet="./\\%2eEfF?#;:@&=+ \r\n\0", max_size=12),
    st.sampled_from(["..", ".", "", "../..", "..%2f..", "%2e%2e", "a/../b", "//evil.example"]),
)


@given(HOSTILE, HOSTILE)
@example("..", "x")
@example("a\\..\\b", "x")
@example("\ud800", "x")
def test_an_argument_in_a_path_never_leaves_its_segment(shop, order):
    try:
        request = ORDER.request({"shop": shop, "order": order}, "k")
    except ArgumentError:
        return
    assert request.target.isascii()
    assert request.target.isprintable()
    assert not set("?#\\ ") & set(request.target)
    segments = request.path.split("/")
    assert len(segments) == 5
    assert unquote(segments[2]) == shop
    assert unquote(segments[4]) == f"{order}.json"
    # Nor where a server takes %2F for a slash before it resolves the dots.
    assert not {".", ".."} & set(unquote(request.path).replace("\\", "/").split("/"))


@pytest.mark.parametrize("value", ["", ".", "..", "../x", "x/..", "a/./b", "a\\..", None, [], {}])
def test_what_is_no_segment_is_refused_by_its_name(value):
    with pytest.raises(ArgumentError, match="`shop`") as told:
        ORDER.request({"shop": value, "order": "1"}, "k")
    assert "x/.." not in str(told.value)


@pytest.mark.parametrize(
    ("value", "why"),
    [("", "empty"), ("a/..", "lead elsewhere"), ("a\nb", "control characters"), ("x" * 501, "500")],
)
def test_what_is_no_segment_is_refused_for_what_it_is(value, why):
    with pytest.raises(ArgumentError, match=why):
        ORDER.request({"shop": value, "order": "1"}, "k")


@pytest.mark.parametrize(
    ("value", "written"),
    [("a b", "a%20b"), ("a/b", "a%2Fb"), (7, "7"), (7.0, "7"), (1.5, "1.5"), (True, "true"),
     ("ü", "%C3%BC"), ("a%2Fb", "a%252Fb")],
)  # fmt: skip
def test_a_value_is_written_as_a_segment(value, written):
    request = ORDER.request({"shop": value, "order": "1"}, "k")
    assert request.path == f"/shops/{written}/orders/1.json"


@given(st.dictionaries(st.sampled_from(["q", "tag", "n"]), HOSTILE | st.lists(HOSTILE, max_size=3)))
def test_a_query_holds_what_was_given_and_nothing_else(arguments):
    operation = HttpOperation(method="GET", path="/search")
    try:
        request = operation.request(arguments, "k")
    except ArgumentError:
        assert "\\ud" in ascii(arguments)
        return
    read = parse_qsl(urlsplit(f"http://h{request.target}").query, keep_blank_values=True)
    meant = [
        (name, one)
        for name in sorted(arguments)
        for one in (arguments[name] if isinstance(arguments[name], list) else [arguments[name]])
    ]
    assert read == meant


@given(HOSTILE)
def test_a_header_is_one_line_or_refused(value):
    operation = HttpOperation(method="GET", path="/", headers=("X-Region",))
    try:
        request = operation.request({"X-Region": value}, "k")
    except ArgumentError:
        return
    assert request.headers == {"X-Region": value}
    assert value.isascii()
    assert value.isprintable()
    assert value == value.strip() != ""


def test_arguments_go_where_they_belong_and_the_rest_is_the_body():
    operation = HttpOperation(
        method="POST",
        path="/shops/{shop}/orders",
        query=("dry_run",),
        headers=("X-Region",),
        body="rest",
        idempotency_header="Idempotency-Key",
    )
    given = {"shop": "s", "dry_run": True, "X-Region": "eu", "items": [1], "note": None}
    request = operation.request(given, "key-1")
    assert request.target == "/shops/s/orders?dry_run=true"
    assert request.headers == {"X-Region": "eu", "Idempotency-Key": "key-1"}
    assert request.body == {"items": [1], "note": None}
    shuffled = dict(reversed(given.items()))
    assert operation.request(shuffled, "key-1").content == request.content


def test_a_body_is_left_out_where_nothing_is_left_for_it():
    operation = HttpOperation(method="POST", path="/x", body="rest", body_needed=False)
    assert operation.request({}, "k").content is None
    needed = msgspec.structs.replace(operation, body_needed=True)
    assert needed.request({}, "k").content == b"{}"


def test_one_argument_can_be_the_whole_body():
    operation = HttpOperation(method="POST", path="/x", query=("q",), body="argument")
    request = operation.request({"q": "a", "body": [1, 2]}, "k")
    assert (request.target, request.content) == ("/x?q=a", b"[1,2]")
    assert operation.request({"q": "a"}, "k").content is None


def test_half_a_character_in_a_name_is_refused():
    with pytest.raises(ArgumentError, match="half a character") as told:
        HttpOperation(method="GET", path="/x").request({"\ud800": "a"}, "k")
    assert str(told.value).encode()


def test_null_in_a_query_or_header_is_left_out():
    operation = HttpOperation(method="GET", path="/x", headers=("H",))
    request = operation.request({"q": None, "H": None}, "k")
    assert (request.target, request.headers) == ("/x", {})

"""Of a record only the approved fields leave a connector, each of the type that was declared."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.config.connectors import HttpOperationSettings, OperationSettings
from headgate.context.connector import ConnectorError, NoRecordError
from headgate.context.narrowing import narrowed


def operation(fields: dict[str, Any], **more: Any) -> OperationSettings:
    return msgspec.convert({"path": "/x", "fields": fields, **more}, HttpOperationSettings)


def one(record: Any, **fields: Any) -> Any:
    return narrowed([record], operation(fields)).value


def told(records: list[Any], fields: dict[str, Any], **more: Any) -> str:
    with pytest.raises(ConnectorError) as error:
        narrowed(records, operation(fields, **more))
    return str(error.value)


def test_only_the_approved_fields_leave():
    record = {"name": "Orrin", "rating": "C", "owner": {"email": "a@example.com", "phone": "1"}}
    owner = {"type": "text", "at": "owner.email"}
    assert one(record, name="text", owner=owner) == {"name": "Orrin", "owner": "a@example.com"}


def test_a_workflow_may_narrow_further_and_never_widen():
    fields = operation({"a": "text", "b": "text"})
    assert narrowed([{"a": "1", "b": "2"}], fields, ["b"]).value == {"b": "2"}
    with pytest.raises(KeyError):
        narrowed([{"a": "1", "b": "2", "c": "3"}], fields, ["c"])


@pytest.mark.parametrize(
    ("kind", "value", "left"),
    [
        ("text", "x", "x"),
        ("text", UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("integer", 3, 3),
        ("integer", Decimal("3.00"), 3),
        ("number", 1.5, 1.5),
        ("number", Decimal("1.50"), 1.5),
        ("number", 2.0, 2),
        ("number", 1e300, 1e300),
        ("number", Decimal(2**63 - 1), 2**63 - 1),
        ("number", Decimal("12345678901234567.0"), 12345678901234567),
        ("boolean", False, False),
        ("date", "2027-01-31", "2027-01-31"),
        ("date", date(2027, 1, 31), "2027-01-31"),
        ("datetime", "2027-01-31T09:30:00Z", "2027-01-31T09:30:00+00:00"),
        ("datetime", datetime(2027, 1, 31, 9, tzinfo=UTC), "2027-01-31T09:00:00+00:00"),
        *((kind, None, None) for kind in ("text", "integer", "number", "boolean", "date")),
    ],
)
def test_what_fits_is_kept_as_json_has_it(kind: str, value: Any, left: Any):
    found = one({"f": value}, f=kind)["f"]
    assert found == left
    assert type(found) is type(left)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 3), ("text", ["x"]), ("text", {"x": 1}), ("text", b"x"),
        ("integer", "3"), ("integer", True), ("integer", 3.0), ("integer", 2**63),
        ("integer", Decimal("3.5")), ("integer", Decimal("NaN")),
        ("number", "3"), ("number", True), ("number", float("inf")), ("number", float("nan")),
        ("number", Decimal("NaN")), ("number", Decimal(2**63)), ("number", Decimal("1e400")),
        ("boolean", 1), ("boolean", "true"),
        ("date", "31.01.2027"), ("date", 20270131), ("date", datetime(2027, 1, 31, tzinfo=UTC)),
        ("datetime", "2027-01-31"), ("datetime", "soon"), ("datetime", 1),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_an_error_that_names_the_field_alone(kind: str, value: Any):
    message = told([{"secret_plan": value}], {"secret_plan": kind})
    assert message.startswith("the field `secret_plan` is")
    assert "2027-01-31" not in message or "such as" in message


def test_a_field_that_is_missing_is_an_error_unless_it_may_be():
    assert told([{}], {"f": "text"}) == "the field `f` is missing"
    assert one({}, f={"type": "text", "optional": True}) == {"f": None}
    nested = {"type": "text", "at": "a.b.c"}
    assert "`f` is missing" in told([{"a": {"b": "c"}}], {"f": nested})


def test_a_text_that_is_too_long_is_an_error():
    field = {"type": "text", "max_characters": 3}
    assert one({"f": "abc"}, f=field) == {"f": "abc"}
    assert "longer than 3 characters" in told([{"f": "abcd"}], {"f": field})


def test_one_record_is_just_one():
    with pytest.raises(NoRecordError):
        narrowed([], operation({"f": "text"}))
    assert "more than one record" in told([{"f": "a"}, {"f": "b"}], {"f": "text"})


def test_a_list_is_bounded_and_says_which_record_does_not_fit():
    records = [{"f": "a"}, {"f": "b"}, {"f": "c"}]
    found = narrowed(records, operation({"f": "text"}, many=3))
    assert (found.records, found.cut, found.value) == (3, False, records)
    assert narrowed([], operation({"f": "text"}, many=3)).value == []
    assert "more than 2 records" in told(records, {"f": "text"}, many=2)
    cut = narrowed(records, operation({"f": "text"}, many=2, beyond="cut"))
    assert (cut.records, cut.cut, cut.value) == (2, True, records[:2])
    assert told([{"f": "a"}, {"f": 1}], {"f": "text"}, many=9) == (
        "the field `f` of record [1] is no text"
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
kinds = st.sampled_from(["text", "integer", "number", "boolean", "date", "datetime"])


@given(
    record=st.dictionaries(st.sampled_from("abcdef"), json_values),
    fields=st.dictionaries(st.sampled_from("abcdef"), kinds, min_size=1),
)
def test_of_any_record_nothing_but_the_declared_fields_ever_leaves(record, fields):
    try:
        found = narrowed([record], operation(fields)).value
    except ConnectorError as error:
        message = str(error)
    else:
        message = None
    if message is not None:
        # It names a field and holds nothing of what stood there.
        assert any(f"`{name}`" in message for name in fields)
        return
    assert isinstance(found, dict)
    assert found.keys() == fields.keys()
    for value in found.values():
        assert value is None or isinstance(value, str | int | float | bool)
        assert msgspec.json.decode(msgspec.json.encode(value)) == value

"""A record has a column for each of its fields, and can always be made to fit them."""

from __future__ import annotations

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from call_records import a_call
from headgate.ledger.record import CallRecord
from headgate.ledger.rows import CALL_FIELDS as FIELDS
from headgate.ledger.rows import SELDOM_FILLED, fitted, insert_calls
from headgate.storage.schema import calls


def test_the_fields_of_a_record_are_the_columns_in_order():
    assert list(FIELDS) == [column.name for column in calls.columns]


def test_a_field_may_be_none_where_its_column_may():
    kinds = {field.name: field.type for field in msgspec.inspect.type_info(CallRecord).fields}
    for name in FIELDS:
        may_be_none = isinstance(kinds[name], msgspec.inspect.UnionType) and any(
            isinstance(kind, msgspec.inspect.NoneType) for kind in kinds[name].types
        )
        assert may_be_none == calls.columns[name].nullable, name


def test_a_record_that_fits_is_left_as_it_is():
    record = a_call()
    assert fitted(record) == record


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            FIELDS,
            st.none()
            | st.text(st.characters(categories=None), max_size=600)
            | st.integers()
            | st.booleans()
            | st.floats()
            | st.lists(st.integers(), max_size=2),
        ),
    )
)
def test_any_record_can_be_made_to_fit(changes: dict[str, object]):
    record = fitted(a_call(**changes))
    for name in FIELDS:
        value, column = getattr(record, name), calls.columns[name]
        if value is None:
            assert column.nullable
        elif isinstance(column.type, sa.String):
            assert column.type.length is None or len(value) <= column.type.length
            assert "\0" not in value
            value.encode()
        elif isinstance(column.type, sa.Boolean):
            assert isinstance(value, bool)
        else:
            assert abs(value) < 2 ** (63 if isinstance(column.type, sa.BigInteger) else 31)


@pytest.mark.parametrize("length", [256, 257, 5000])
def test_a_long_name_is_cut_to_its_column(length: int):
    assert fitted(a_call(model_requested="m" * length)).model_requested == "m" * 256


def test_a_column_that_is_left_out_is_null():
    for name in sum(SELDOM_FILLED, ()):
        column = calls.columns[name]
        assert column.nullable, name
        assert column.default is None, name
        assert column.server_default is None, name


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "feature": st.text("ab", min_size=1),
                "run_id": st.text("ab", min_size=1),
                "error_class": st.just("timeout"),
                "first_token_us": st.integers(0, 9),
                "cache_write_tokens": st.integers(0, 9),
                "saved_nanousd": st.integers(0, 9),
            },
        ),
        min_size=1,
        max_size=90,
    )
)
@settings(max_examples=30, deadline=None)
def test_every_record_of_a_batch_is_kept_with_all_it_holds(batch: list[dict[str, object]]):
    records = [a_call(id=f"call_{number}", **changes) for number, changes in enumerate(batch)]
    with sa.create_engine("sqlite://").begin() as connection:
        calls.create(connection)
        insert_calls(connection, records)
        kept = {row.id: row for row in connection.execute(sa.select(calls))}
    assert len(kept) == len(records)
    for record in records:
        row = kept[record.id]
        assert [getattr(row, name) for name in FIELDS] == [getattr(record, name) for name in FIELDS]

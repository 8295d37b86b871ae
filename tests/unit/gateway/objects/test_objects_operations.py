"""Which address means what, and that no address leads elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import ConfigError
from headgate.gateway.objects.allowed import AllowedPaths
from headgate.gateway.objects.operation import OperationTable
from headgate.gateway.objects.operations import OPERATIONS

TABLE = OperationTable(OPERATIONS)


def test_an_address_is_found_with_the_objects_in_it():
    found = TABLE.find("GET", "/vector_stores/vs_1/files/file-2")
    assert found is not None
    assert found.operation.name == "vector_stores/files"
    assert found.owned() == (("vector_store", "vs_1"),)
    assert TABLE.find("PUT", "/files") is None
    assert TABLE.find("GET", "/files/") is None
    assert TABLE.find("GET", "/nothing") is None


def test_every_operation_is_found_and_has_a_name_that_fits_the_ledger():
    for operation in OPERATIONS:
        path = "/".join(
            "id-1" if part.startswith("{") else part for part in operation.path.split("/")
        )
        found = TABLE.find(operation.method, path)
        assert found is not None
        assert found.operation is operation
        assert 0 < len(operation.name) <= 32


def test_what_makes_lists_or_deletes_says_what():
    for operation in OPERATIONS:
        if operation.effect in ("make", "list", "delete"):
            assert operation.kind is not None, operation.path
        if operation.effect == "delete":
            assert operation.path.endswith("{" + operation.kind + "}")


@given(st.text(max_size=20))
def test_no_identifier_leads_elsewhere(text):
    found = TABLE.find("GET", f"/files/{text}")
    if found is not None:
        assert ".." not in text[:2]
        assert not set(text) & set("/\\%?#&\r\n\0 ")
        assert text.isascii()


@pytest.mark.parametrize(
    "path",
    ["/v1/files", "/v1/files/{file}", "/v1/chat/completions", "/v1/models", "/v1/responses/*"],
)
def test_what_is_served_already_is_not_let_pass(path):
    with pytest.raises(ConfigError) as refused:
        AllowedPaths([path.replace("{file}", "a")]).check(None)
    assert "served already" in refused.value.message


def test_an_address_is_let_pass_by_its_name_only():
    allowed = AllowedPaths(["/v1/assistants", "/v1/threads/*"])
    for path in ("/assistants", "/threads/a", "/threads/a/versions/2"):
        found = allowed.find("POST", path)
        assert found is not None
        assert (found.operation.effect, found.operation.cost) == ("pass", "unknown")
        assert found.owned() == ()
    for path in (
        "/assistants/1",
        "/assistantsa",
        "/threads",
        "/threads/../files/file-1",
        "/threads/./a",
        "/threads//a",
        "/threads/a b",
        "/threads/%2e%2e/files",
        "/files/file-1",
    ):
        assert allowed.find("GET", path) is None
    assert allowed.find("TRACE", "/assistants") is None


def test_what_is_served_is_not_let_pass_by_a_wider_name():
    allowed = AllowedPaths(["/v1/fine_tuning/*"])
    assert allowed.find("GET", "/fine_tuning/jobs/ftjob-1") is None
    assert allowed.find("DELETE", "/fine_tuning/jobs/ftjob-1") is None
    assert allowed.find("GET", "/fine_tuning/checkpoints/ft:gpt:a/permissions") is not None

"""What is believed of a list of tools, and what pins a tool."""

from __future__ import annotations

import pytest

from headgate.workflows.tools.mcp.listing import ListingReader, digest_of
from headgate.workflows.tools.mcp.wire import LostError
from headgate.workflows.tools.tool import ToolSpec

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def tool(name: str = "find", **fields: object) -> dict[str, object]:
    return {"name": name, "description": "Finds.", "inputSchema": SCHEMA} | fields


def listed(*tools: object, given: tuple[str, ...] = ("find",)):
    reader = ListingReader(given)
    assert reader.take({"tools": list(tools)}) is None
    return reader.listing()


def test_only_what_is_given_is_kept_and_others_are_named():
    listing = listed(tool(), tool("delete"), {"name": 5}, "nonsense")
    assert listing.specs == {"find": ToolSpec("Finds.", SCHEMA)}
    assert listing.others == ("delete",)


def test_pages_are_followed_to_their_end():
    reader = ListingReader(("find", "get"))
    assert reader.take({"tools": [tool()], "nextCursor": "2"}) == "2"
    assert reader.take({"tools": [tool("get")]}) is None
    assert set(reader.listing().specs) == {"find", "get"}


def test_pages_without_end_are_given_up():
    reader = ListingReader(("find",))
    for page in range(99):
        assert reader.take({"tools": [], "nextCursor": str(page)}) == str(page)
    with pytest.raises(LostError, match="100 pages"):
        reader.take({"tools": [], "nextCursor": "100"})


def test_tools_without_number_are_given_up():
    with pytest.raises(LostError, match="more than 1000 tools"):
        listed(*(tool(f"t{n}") for n in range(1001)))


@pytest.mark.parametrize("page", [None, [], {}, {"tools": {}}])
def test_what_is_no_list_is_refused(page):
    with pytest.raises(LostError, match="not MCP"):
        ListingReader(()).take(page)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"inputSchema": {"type": "string"}}, "not that of an object"),
        ({"inputSchema": None}, "not that of an object"),
        ({"inputSchema": {"type": "object", "title": "x" * 70_000}}, "over 65536 bytes"),
        ({"inputSchema": {"type": "object", "required": "a"}}, "2020-12), or refers to others, at"),
        (
            {"inputSchema": {"type": "object", "properties": {"a": {"$ref": "http://a/b"}}}},
            "refers",
        ),
        ({"inputSchema": {"type": "object", "pattern": "("}}, "is no JSON Schema"),
    ],
)
def test_a_schema_that_can_not_be_told_is_a_problem_of_this_tool(fields, problem):
    listing = listed(tool(**fields), tool("get"), given=("find", "get"))
    assert problem in listing.problems["find"]
    assert set(listing.specs) == {"get"}


def test_a_schema_of_an_older_dialect_is_held_to_ours_and_always_has_properties():
    older = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}
    spec = listed(tool(inputSchema=older)).specs["find"]
    assert spec.parameters == {"type": "object", "properties": {}}


def test_two_tools_of_one_name_are_a_problem():
    assert "two tools" in listed(tool(), tool(description="Other.")).problems["find"]


def test_hidden_characters_are_dropped_in_description_and_schema():
    hidden = {"type": "object", "properties": {"a": {"description": "\u202eb\U000e0042\x1b[0m"}}}
    spec = listed(tool(description="\u200bFinds.\x00", inputSchema=hidden)).specs["find"]
    assert spec.description == "Finds."
    assert spec.parameters["properties"]["a"]["description"] == "b[0m"


def test_a_long_description_is_cut():
    spec = listed(tool(description="x" * 10_000)).specs["find"]
    assert len(spec.description) == 4096


def test_a_digest_holds_the_name_the_description_and_the_schema_and_not_their_order():
    spec = ToolSpec("Finds.", {"type": "object", "required": ["a"]})
    same = ToolSpec("Finds.", {"required": ["a"], "type": "object"})
    assert digest_of("find", spec) == digest_of("find", same)
    others = {
        digest_of("find", spec),
        digest_of("get", spec),
        digest_of("find", ToolSpec("Finds", spec.parameters)),
        digest_of("find", ToolSpec("Finds.", {"type": "object", "required": ["b"]})),
    }
    assert len(others) == 4
    # Written down in configurations, so it must not change from one Headgate to the next.
    assert digest_of("find", ToolSpec("Fïnds.", {"type": "object"})) == (
        "f327fc32c2ce20ee18b72829068ef17712046a4038bdf545a01b7c3a346f4883"
    )

"""A page of a list shows a project its own objects, all of them, once, in the provider's order."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import InvalidRequestError, UpstreamFailedError
from headgate.gateway.objects.operation import Operation
from headgate.gateway.objects.pages import (
    PageBeingFilled,
    ProviderPage,
    read_page_request,
    read_provider_page,
)

LIST = Operation(
    method="GET", path="/files", effect="list", kind="file", summary="", page_limits=(3, 5)
)
PROJECTS = st.lists(st.sampled_from(["mine", "theirs", "nobodys"]), max_size=30)


class Provider:
    """A list of objects and the projects that made them, handed out in pages."""

    def __init__(self, projects: list[str]) -> None:
        self.ids = [f"file-{number}" for number in range(len(projects))]
        self.owners = {
            name: project
            for name, project in zip(self.ids, projects, strict=True)
            if project != "nobodys"
        }

    def page(self, query: list[tuple[str, str]]) -> ProviderPage:
        given = dict(query)
        limit = int(given["limit"])
        start, end = 0, len(self.ids)
        if "after" in given:
            start = self.ids.index(given["after"]) + 1
        if "before" in given:
            end = self.ids.index(given["before"])
            start = max(0, end - limit)
            has_more = start > 0
        else:
            has_more = end - start > limit
            end = min(end, start + limit)
        items = [{"id": name} for name in self.ids[start:end]]
        shape = {"object": "list", "data": items, "has_more": has_more}
        return read_provider_page(msgspec.json.encode(shape))


def filled(provider: Provider, query: list[tuple[str, str]], *, everything: bool = False) -> dict:
    wanted = read_page_request(LIST, query)
    filling = PageBeingFilled(wanted)
    cursor = wanted.cursor
    while True:
        page = provider.page(filling.query(cursor))
        full = filling.take(page, provider.owners, "mine", unregistered_too=everything)
        cursor = page.edge(before=wanted.before is not None)
        if full or cursor is None:
            return msgspec.json.decode(filling.body())


@given(PROJECTS, st.integers(1, 5), st.booleans())
def test_all_pages_together_are_all_its_own(projects, limit, everything):
    provider = Provider(projects)
    wanted = {"mine", "nobodys"} if everything else {"mine"}
    own = [name for name in provider.ids if provider.owners.get(name, "nobodys") in wanted]
    seen, after = [], None
    while True:
        query = [("limit", str(limit)), *([("after", after)] if after else [])]
        page = filled(provider, query, everything=everything)
        ids = [item["id"] for item in page["data"]]
        seen += ids
        assert len(ids) <= limit
        assert page["has_more"] == (len(seen) < len(own))
        assert (page["first_id"], page["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))
        if not page["has_more"]:
            break
        after = page["last_id"]
    assert seen == own


@given(PROJECTS, st.integers(1, 5))
def test_backwards_as_well(projects, limit):
    provider = Provider(projects)
    own = [name for name in provider.ids if provider.owners.get(name) == "mine"]
    if not own:
        return
    seen, before = [], own[-1]
    while True:
        page = filled(provider, [("limit", str(limit)), ("before", before)])
        ids = [item["id"] for item in page["data"]]
        seen = ids + seen
        assert page["has_more"] == (len(seen) < len(own) - 1)
        if not page["has_more"]:
            break
        before = page["first_id"]
    assert seen == own[:-1]


@pytest.mark.parametrize("query", [[("limit", "-1")], [("limit", "6")], [("limit", "x")]])
def test_a_limit_out_of_bounds_is_refused(query):
    with pytest.raises(InvalidRequestError) as refused:
        read_page_request(LIST, query)
    assert refused.value.param == "limit"


def test_a_limit_of_nothing_is_asked_of_the_provider_and_shows_nothing():
    wanted = read_page_request(LIST, [("limit", "0")])
    filling = PageBeingFilled(wanted)
    assert ("limit", "0") in filling.query(None)
    page = read_provider_page(b'{"data": [{"id": "file-1"}], "has_more": true}')
    assert filling.take(page, {"file-1": "mine"}, "mine", unregistered_too=False)
    shown = msgspec.json.decode(filling.body())
    assert (shown["data"], shown["has_more"]) == ([], True)


@given(PROJECTS, st.integers(1, 5), st.data())
def test_between_two_of_its_own_are_those_that_lie_there(projects, limit, data):
    provider = Provider(projects)
    own = [name for name in provider.ids if provider.owners.get(name) == "mine"]
    if len(own) < 2:
        return
    first = data.draw(st.integers(0, len(own) - 2))
    last = data.draw(st.integers(first + 1, len(own) - 1))
    between, after = [], own[first]
    while True:
        query = [("limit", str(limit)), ("after", after), ("before", own[last])]
        page = filled(provider, query)
        between += [item["id"] for item in page["data"]]
        assert page["has_more"] == (len(between) < last - first - 1)
        if not page["has_more"]:
            break
        after = page["last_id"]
    assert between == own[first + 1 : last]


def test_filters_go_on_to_the_provider():
    wanted = read_page_request(LIST, [("purpose", "batch"), ("limit", "2"), ("order", "asc")])
    query = PageBeingFilled(wanted).query("file-7")
    assert ("purpose", "batch") in query
    assert ("order", "asc") in query
    assert ("after", "file-7") in query


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"data": 1}', b'{"data": [{}]}', b'{"data": [{"id": 1}]}', b"\xff"]
)
def test_what_is_no_list_is_never_shown(body):
    with pytest.raises(UpstreamFailedError):
        read_provider_page(body)

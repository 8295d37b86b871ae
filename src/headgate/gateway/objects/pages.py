"""Pages of a list of which a project is shown its own objects only. Pure.

A provider's list holds every project's objects, so one page for the caller may take several of the
provider's. `after` and `before` name objects that the caller was shown, which makes a page begin
where the caller's last one ended, whatever lies between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from headgate.errors import InvalidRequestError, UpstreamFailedError
from headgate.gateway.objects.operation import Operation

MAX_PAGES = 200
"""Most pages of a provider's that are read for one of the caller's."""

_ASKED_AT_ONCE = 100
"""Objects asked for at least, since some of them will be others'."""


class PageRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller asked for."""

    limit: int
    asked_at_once: int
    after: str | None
    before: str | None
    """Where the page ends, if it is read towards its end; not given beside `after`."""
    until: str | None
    """The object before which a page that begins behind `after` ends at the latest."""
    filters: tuple[tuple[str, str], ...]
    """All other parameters, for the provider."""

    @property
    def cursor(self) -> str | None:
        """The object that the page begins behind, in either direction."""
        return self.before if self.before is not None else self.after


def read_page_request(operation: Operation, query: Sequence[tuple[str, str]]) -> PageRequest:
    """What a list's query asks for; `InvalidRequestError` where it can't be."""
    given = dict(query)
    usual, most = operation.page_limits
    try:
        limit = int(given.get("limit", usual))
    except ValueError:
        limit = -1
    if not 0 <= limit <= most:
        raise InvalidRequestError(
            f"`limit` must be a whole number from 0 to {most}.", param="limit"
        )
    return PageRequest(
        limit=limit,
        # What none of a list is, or whether it may be asked for, is the provider's to say.
        asked_at_once=min(most, max(limit, _ASKED_AT_ONCE)) if limit else 0,
        after=given.get("after"),
        before=None if "after" in given else given.get("before"),
        until=given.get("before") if "after" in given else None,
        filters=tuple((n, v) for n, v in query if n not in ("limit", "after", "before")),
    )


class PageBeingFilled:
    """Collects what the caller will be shown."""

    def __init__(self, wanted: PageRequest) -> None:
        self.wanted = wanted
        self.shown: list[dict[str, Any]] = []
        self.has_more = False
        self.ended = False
        """Whether nothing behind what was taken in is to be shown."""
        self._shape: dict[str, Any] = {"object": "list"}

    def query(self, cursor: str | None) -> list[tuple[str, str]]:
        """The parameters for the next page of a provider, which begins behind `cursor`."""
        pairs = [*self.wanted.filters, ("limit", str(self.wanted.asked_at_once))]
        if cursor is not None:
            pairs.append(("before" if self.wanted.before is not None else "after", cursor))
        return pairs

    def take(
        self,
        page: ProviderPage,
        owners: Mapping[str, str],
        project: str,
        *,
        unregistered_too: bool,
    ) -> bool:
        """Take in a provider's page; return whether the caller's page is full."""
        self._shape = page.shape
        ids = [item["id"] for item in page.items]
        self.ended = self.wanted.until in ids
        items = page.items[: ids.index(self.wanted.until)] if self.ended else page.items
        own = [
            item
            for item in items
            if owners.get(item["id"], project if unregistered_too else None) == project
        ]
        if self.wanted.before is not None:
            # The page that ends before an object is read towards it; its end is what is near.
            room = self.wanted.limit - len(self.shown)
            self.has_more = self.has_more or len(own) > room
            self.shown = [*own[max(0, len(own) - room) :], *self.shown]
        else:
            self.shown += own
            self.has_more = self.has_more or len(self.shown) > self.wanted.limit
            del self.shown[self.wanted.limit :]
        return self.has_more or self.ended

    def body(self) -> bytes:
        """The caller's page."""
        shape = dict(self._shape)
        shape["data"] = self.shown
        shape["first_id"] = self.shown[0]["id"] if self.shown else None
        shape["last_id"] = self.shown[-1]["id"] if self.shown else None
        shape["has_more"] = self.has_more
        return msgspec.json.encode(shape)


class ProviderPage(msgspec.Struct, frozen=True):
    """One page of a provider's."""

    shape: dict[str, Any]
    items: list[dict[str, Any]]
    has_more: bool

    def edge(self, *, before: bool) -> str | None:
        """Where the next one begins; None where there is no next one."""
        if not self.has_more or not self.items:
            return None
        return str(self.items[0 if before else -1]["id"])


def read_provider_page(body: bytes) -> ProviderPage:
    """A provider's page; `UpstreamFailedError` where it is none."""
    try:
        shape = msgspec.json.decode(body, type=dict[str, Any])
        items = msgspec.convert(shape.get("data"), list[dict[str, Any]])
        if not all(isinstance(item.get("id"), str) for item in items):
            raise ValueError("an item without an identifier")
    except (ValueError, RecursionError):
        # msgspec's errors and those of wrong UTF-8 are ValueErrors too.
        raise UpstreamFailedError(
            "The provider answered something other than a list, so that Headgate can't tell whose"
            " it is.",
            code="upstream_malformed_reply",
        ) from None
    return ProviderPage(shape, items, shape.get("has_more") is True)

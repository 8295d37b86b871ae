"""What a route's strategy may look at to choose: the request's size, its needs, who it is for."""

from __future__ import annotations

from functools import cached_property

from headgate.config.routes import Complexity, Need
from headgate.gateway.request import Request

_IMAGES = (b'"image_url"', b'"input_image"')
"""A quote inside a JSON string is escaped, so these are a key or a type wherever they stand."""

_USUAL_ANSWER_TOKENS = 500
"""How long an answer is taken to be where the request sets no bound."""


class RequestTraits:
    """One request as a strategy sees it; what costs time is found out when it is asked for."""

    def __init__(
        self,
        request: Request,
        *,
        workflow: str | None = None,
        feature: str | None = None,
        complexity: Complexity | None = None,
        rungs_up: int = 0,
        grade: str | None = None,
    ) -> None:
        self._request = request
        self.workflow = workflow
        self.feature = feature
        self.complexity = complexity
        self.rungs_up = rungs_up
        """How often the same was asked before and its answer failed its checks."""
        self.grade = grade
        """What the route's classifier said of it, where it was asked."""
        self.streamed = request.streamed

    @cached_property
    def input_tokens(self) -> int:
        """About how many tokens it sends."""
        return self._request.input_tokens()

    @cached_property
    def output_tokens(self) -> int:
        """About how many tokens it will be answered, or the most that it allows."""
        bound = self._request.output_tokens()
        return _USUAL_ANSWER_TOKENS if bound is None else bound

    @cached_property
    def needs(self) -> frozenset[Need]:
        """What it asks of a model beyond text."""
        fields = self._request.fields
        found: set[Need] = set()
        for name in ("tools", "functions"):
            raw = fields.get(name)
            if raw is not None and bytes(raw).strip() not in (b"null", b"[]"):
                found.add("tools")
        for name in ("messages", "input"):
            raw = fields.get(name)
            if raw is not None and any(mark in bytes(raw) for mark in _IMAGES):
                found.add("vision")
        return frozenset(found)

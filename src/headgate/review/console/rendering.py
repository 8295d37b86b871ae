"""Turns templates into pages: everything escaped, nothing inline, the same frame around each."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import msgspec
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from headgate import __version__
from headgate.ledger.money import shown_usd
from headgate.review.console import shown, static_files
from headgate.review.console.run_story import tokens_of
from headgate.review.console.visible import LONGEST_CHARACTERS, shortened, visible
from headgate.review.console.visit import Visit
from headgate.workflows.tools.terms_in_words import (
    approval_in_words,
    callers_in_words,
    limits_in_words,
    reviewers_in_words,
    trust_in_words,
)

_TEMPLATES = Path(__file__).parent / "templates"


class Tab(NamedTuple):
    """A page of the navigation."""

    address: str
    title: str
    permission: str


TABS = (
    Tab("/console", "Overview", "usage.read"),
    Tab("/console/reviews", "Reviews", "reviews.read"),
    Tab("/console/runs", "Runs", "runs.read"),
    Tab("/console/workflows", "Workflows", "workflows.read"),
    Tab("/console/costs", "Costs", "usage.read"),
    Tab("/console/keys", "Keys", "keys.read"),
    Tab("/console/settings", "Settings", "config.read"),
)


def _finalize(value: Any) -> Any:
    """What every expression of a template goes through before it is escaped."""
    if value is None:
        return ""
    if isinstance(value, Markup):
        return value
    return visible(value) if isinstance(value, str) else value


def _data(value: Any) -> Markup:
    """`value` as JSON for a script of the page to read, in which nothing can end the element."""
    return htmlsafe_json_dumps(msgspec.to_builtins(value))


def _as_typed(text: str) -> Markup:
    """What somebody typed, back into its field with every character.

    `visible` would spell out what joins an emoji or a Persian word, and the form would send that.
    """
    return escape(text)


class Renderer:
    """The console's templates."""

    def __init__(self, *, simulated: bool) -> None:
        """`simulated`: whether the simulator answers, which every page then says."""
        self._simulated = simulated
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_TEMPLATES),
            autoescape=True,
            finalize=_finalize,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "usd": shown_usd,
            "count": shown.count,
            "short_count": shown.short_count,
            "duration": shown.duration,
            "span": shown.span,
            "moment": shown.moment,
            "iso": shown.iso,
            "percent": shown.percent,
            "pretty": shown.pretty,
            "data": _data,
            "as_typed": _as_typed,
            "approval": approval_in_words,
            "callers": callers_in_words,
            "limits": limits_in_words,
            "trust": trust_in_words,
            "reviewers": reviewers_in_words,
        }
        self._environment.globals |= {
            "static": f"/console/static/{static_files.version()}",
            "version": __version__,
            "shortened": shortened,
            "longest": LONGEST_CHARACTERS,
            "everything": sys.maxsize,
            "tokens_of": tokens_of,
        }

    def page(
        self, template: str, visit: Visit, *, http_status: int = 200, **values: Any
    ) -> HTMLResponse:
        """A page for someone who is signed in."""
        who = visit.who
        path = visit.request.url.path
        tabs = [tab for tab in TABS if who.may(tab.permission)]
        text = self._environment.get_template(template).render(
            visit=visit,
            who=who,
            csrf=visit.session.csrf,
            theme=visit.theme,
            here=visit.here(),
            tabs=tabs,
            current=next((tab.address for tab in TABS if _within(path, tab.address)), ""),
            simulated=self._simulated,
            open_reviews=visit.open_reviews,
            now_us=time.time_ns() // 1000,
            ago=lambda at_us: shown.ago(at_us, time.time_ns() // 1000),
            **values,
        )
        return HTMLResponse(text, http_status)

    def bare(self, template: str, *, http_status: int = 200, **values: Any) -> HTMLResponse:
        """A page for someone who is not signed in."""
        text = self._environment.get_template(template).render(simulated=self._simulated, **values)
        return HTMLResponse(text, http_status)


def _within(path: str, tab: str) -> bool:
    return path == tab or (tab != "/console" and path.startswith(tab + "/"))

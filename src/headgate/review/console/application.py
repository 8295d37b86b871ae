"""The console as one ASGI application: its pages, each with the permission that it needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from headgate.config.console import ConsoleSettings
from headgate.errors import MethodNotAllowedError, NotFoundError
from headgate.ledger.allowances.rule import Rules
from headgate.review.console.access import Access
from headgate.review.console.costs import CostsPage
from headgate.review.console.gate import Client, Gate, Page
from headgate.review.console.keys import KeysPages
from headgate.review.console.overview import OverviewPage
from headgate.review.console.rendering import Renderer
from headgate.review.console.review_pages import ReviewPages
from headgate.review.console.reviews import Reviews
from headgate.review.console.runs import RunsPages
from headgate.review.console.sessions import SessionStore
from headgate.review.console.settings import SettingsPage
from headgate.review.console.sign_in_limit import SignInLimit
from headgate.review.console.signing import Signing
from headgate.review.console.static_files import static_file
from headgate.review.console.visit import see
from headgate.review.console.workflows import WorkflowsPages
from headgate.storage import Database
from headgate.storage.threads import StorageThreads
from headgate.workflows.durable.carrier import DurableRuns

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class ConsoleServices(msgspec.Struct, frozen=True, kw_only=True):
    """What the console needs, handed in by whoever composes it."""

    database: Database
    threads: StorageThreads
    settings: ConsoleSettings
    access: Access
    durable: DurableRuns
    rules: Rules
    """The limits and budgets of this server."""
    effective_config: Callable[[], Any]
    """The policy as understood, secrets masked, ready for JSON."""
    client_of: Callable[[Scope], Client]
    simulated: bool
    """Whether the simulator answers in place of a provider."""
    reviews: Reviews


class Console:
    """The ASGI application at `/console`."""

    def __init__(self, services: ConsoleServices) -> None:
        renderer = Renderer(simulated=services.simulated)
        sessions = SessionStore(
            services.database,
            lasts_s=services.settings.session_s,
            idle_s=services.settings.idle_s,
        )
        gate = Gate(
            access=services.access,
            sessions=sessions,
            threads=services.threads,
            renderer=renderer,
            reviews=services.reviews,
            client_of=services.client_of,
        )
        signing = Signing(
            gate=gate,
            access=services.access,
            sessions=sessions,
            limit=SignInLimit(services.database, attempts=services.settings.sign_in_attempts),
            threads=services.threads,
            renderer=renderer,
            passwords=services.settings.password_sign_in,
            lasts_s=services.settings.session_s,
        )
        database, threads, durable = services.database, services.threads, services.durable
        overview = OverviewPage(database, threads, renderer, services.rules, services.reviews)
        runs = RunsPages(database, durable, threads, renderer)
        workflows = WorkflowsPages(database, durable, threads, renderer)
        costs = CostsPage(database, threads, renderer, services.rules)
        keys = KeysPages(services.access, renderer)
        settings = SettingsPage(services.effective_config, renderer)
        reviews = ReviewPages(services.reviews, renderer)
        pages: list[tuple[str, str, Page, str | None]] = [
            ("GET", "", overview.show, None),
            ("POST", "/sign-out", signing.sign_out, None),
            ("POST", "/theme", signing.theme, None),
            ("GET", "/runs", runs.index, "runs.read"),
            ("GET", "/runs/{id}", runs.show, "runs.read"),
            ("POST", "/runs/{id}/cancel", runs.cancel, "runs.cancel"),
            ("GET", "/runs/{id}/{part}", runs.text, "runs.read_contents"),
            ("GET", "/workflows", workflows.index, "workflows.read"),
            ("GET", "/workflows/{name}", workflows.show, "workflows.read"),
            ("POST", "/workflows/{name}/check", workflows.check, "workflows.run"),
            ("POST", "/workflows/{name}/runs", workflows.try_it, "workflows.run"),
            ("GET", "/costs", costs.show, "usage.read"),
            ("GET", "/keys", keys.show, "keys.read"),
            ("POST", "/keys", keys.create, "keys.manage"),
            ("POST", "/keys/{id}/revoke", keys.revoke, "keys.manage"),
            ("GET", "/settings", settings.show, "config.read"),
            ("GET", "/reviews", reviews.queue, "reviews.read"),
            # Who may see what a review shows, its page says; who may decide it, the service.
            ("GET", "/reviews/next", reviews.next, "reviews.read"),
            ("GET", "/reviews/{id}", reviews.show, "reviews.read"),
            ("POST", "/reviews/{id}/claim", reviews.claim, "reviews.decide"),
            ("POST", "/reviews/{id}/check", reviews.check, "reviews.decide"),
            ("POST", "/reviews/{id}/decision", reviews.decide, "reviews.decide"),
        ]
        keeping = {
            "/reviews/{id}/decision": reviews.shown_again,
            "/reviews/{id}/claim": reviews.shown_again,
            "/workflows/{name}/runs": workflows.shown_again,
        }
        # Where a form is sent is no page: who asks for it is shown the one that has the form.
        form_of = {
            "/": "",
            "/runs/{id}/cancel": "/runs/{id}",
            "/workflows/{name}/runs": "/workflows/{name}",
            "/keys/{id}/revoke": "/keys",
            "/reviews/{id}/claim": "/reviews/{id}",
            "/reviews/{id}/decision": "/reviews/{id}",
        }  # fmt: skip
        open_pages = [
            ("GET", "/static/{version}/{name:path}", static_file),
            ("GET", "/sign-in", signing.form),
            ("POST", "/sign-in", signing.sign_in),
        ]
        routes = [
            *(
                Route(f"/console{path}", gate.for_all(_to_page(page)), methods=["GET"])
                for path, page in form_of.items()
            ),
            *(
                Route(f"/console{path}", gate.for_all(handler), methods=[method])
                for method, path, handler in open_pages
            ),
            *(
                Route(
                    f"/console{path}",
                    gate.signed_in(page, permission, keeping.get(path)),
                    methods=[method],
                )
                for method, path, page, permission in pages
            ),
            Route("/{rest:path}", gate.for_all(_nowhere), methods=_METHODS),
        ]
        self._router = Router(routes, redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._router(scope, receive, send)


def _to_page(page: str) -> Callable[[Request], Awaitable[Response]]:
    """Leads to the address `page`, with the query it was asked with."""

    async def lead(request: Request) -> Response:
        address = f"/console{page}".format_map(request.path_params)
        return see(address + (f"?{request.url.query}" if request.url.query else ""))

    return lead


async def _nowhere(request: Request) -> Response:
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowedError("Nothing can be sent to this address; go back and try again.")
    raise NotFoundError("There is no such page; begin at the overview.")

"""A console for tests: the whole application in a thread, with reviews that live in memory.

`running_console(…)` starts one; `Visitor` is a browser without scripts that keeps its cookies.
"""

from __future__ import annotations

import asyncio
import http.client
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec
import uvicorn
import yaml

from headgate.app.application import Application
from headgate.app.composition import build
from headgate.app.plan import read_plan
from headgate.app.preparation import prepare
from headgate.app.serving import _config
from headgate.checks.problem import Problem
from headgate.checks.schema import Schema
from headgate.errors import ConflictError, InvalidRequestError, NotFoundError
from headgate.intake.access.key import NewKey
from headgate.intake.access.keys import KeyStore
from headgate.intake.access.projects import ProjectStore
from headgate.intake.access.secret import load_secret
from headgate.intake.access.users import UserStore
from headgate.ledger.usage import usage
from headgate.review.console.access import Principal
from headgate.review.console.reviews import Decision, Review, ReviewLine
from headgate.review.review import ReviewStatus
from headgate.simulator import SimulatorConfig, serve_in_thread
from headgate.storage import Database
from headgate.workflows.tools.tool import Sent

ADMIN_KEY = "hg_admin-of-the-console-tests-0123456789"
PASSWORD = "correct horse battery"

_SETTINGS = """
logs: {calls: none}
console: {sign_in_attempts: 1000}
routes:
  triage: {targets: [{provider: openai, model: gpt-4.1-mini}]}
  summaries: {targets: [{provider: openai, model: gpt-4.1-mini}]}
"""
"""What the example project's workflows need; all tests come from one address."""

_START_TIMEOUT_S = 30.0
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Page(NamedTuple):
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    text: str
    set_cookies: tuple[str, ...]

    @property
    def location(self) -> str:
        """Where it leads."""
        return self.headers["location"]


class Visitor:
    """A browser without scripts."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.cookies: dict[str, str] = {}
        self._headers: dict[str, str] = {}

    def with_headers(self, **headers: str) -> Visitor:
        """The same, sending these along."""
        self._headers |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self

    def ask(
        self, method: str, path: str, body: str | None = None, headers: Mapping[str, str] = {}
    ) -> Page:
        """One request, redirects not followed."""
        parts = urlsplit(self.address)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request(method, path, body, {"cookie": cookie, **self._headers, **headers})
        reply = connection.getresponse()
        text = reply.read().decode()
        set_cookies = tuple(reply.headers.get_all("set-cookie") or ())
        for written in set_cookies:
            name, _, value = written.partition(";")[0].partition("=")
            if "Max-Age=0" in written or "max-age=0" in written.lower():
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        connection.close()
        names = {name.lower(): value for name, value in reply.getheaders()}
        return Page(reply.status, names, text, set_cookies)

    def get(self, path: str) -> Page:
        """A page."""
        return self.ask("GET", path)

    def csrf(self, path: str = "/console/sign-in") -> str:
        """The token of the forms of a page."""
        found = _CSRF.search(self.get(path).text)
        assert found, path
        return found[1]

    def post(self, path: str, fields: Mapping[str, str], *, csrf: str | None = None) -> Page:
        """A form, with a token that is fetched where none is given."""
        token = self.csrf("/console/workflows") if csrf is None else csrf
        form = urlencode({"csrf": token, **fields})
        return self.ask("POST", path, form, {"content-type": "application/x-www-form-urlencoded"})

    def sign_in(self, *, key: str = "", name: str = "", password: str = "", to: str = "") -> Page:
        """Send the sign-in form."""
        fields = {"key": key} if key else {"name": name, "password": password}
        return self.post(
            "/console/sign-in", fields | ({"next": to} if to else {}), csrf=self.csrf()
        )


class MemoryReviews:
    """Reviews as the console's pages need them, in memory."""

    def __init__(self) -> None:
        self.reviews: dict[str, Review] = {}
        self.schema = Schema(
            {
                "type": "object",
                "properties": {"reply": {"type": "string", "minLength": 5}},
                "required": ["reply"],
                "additionalProperties": False,
            }
        )

    def add(self, review_id: str, **values: Any) -> Review:
        """A review that waits."""
        now_us = time.time_ns() // 1000
        review = Review(
            **{
                "id": review_id, "run_id": "run_of_" + review_id, "project": "default",
                "title": "reply-draft", "version": "1.2.0", "status": "open",
                "reasons": ("A refund is promised.",), "group": "support",
                "created_at_us": now_us - 600_000_000, "due_at_us": now_us + 3_000_000_000,
                "revision": 1, "prompt_version": "1.2.0",
                "draft": {"reply": f"Dear customer, this is the draft of {review_id}."},
                "input": {"question": "Where is my money?"},
            }
            | values
        )  # fmt: skip
        self.reviews[review_id] = review
        return review

    async def queue(
        self, who: Principal, *, status: ReviewStatus | None, limit: int, after: str | None
    ) -> list[ReviewLine]:
        """See `Reviews`."""
        found = sorted(
            (
                review
                for review in self.reviews.values()
                if (review.status == status if status else review.status != "decided")
                and who.reaches(review.project or "")
            ),
            key=lambda review: (review.due_at_us or 2**62, review.id),
        )
        ids = [review.id for review in found]
        start = ids.index(after) + 1 if after in ids else 0
        return [self._seen(review, who) for review in found[start : start + limit]]

    async def waiting(self, who: Principal) -> int:
        """See `Reviews`."""
        return len(await self.queue(who, status=None, limit=1000, after=None))

    async def get(self, who: Principal, review_id: str) -> Review:
        """See `Reviews`."""
        review = self.reviews.get(review_id)
        if review is None or not who.reaches(review.project or ""):
            raise NotFoundError(f"There is no review {review_id}.")
        return self._seen(review, who)

    async def claim(self, who: Principal, review_id: str, revision: int) -> Review:
        """See `Reviews`."""
        return await self._changed(who, review_id, revision, status="claimed", claimed_by=who.name)

    async def release(self, who: Principal, review_id: str, revision: int) -> Review:
        """See `Reviews`."""
        return await self._changed(who, review_id, revision, status="open", claimed_by=None)

    async def problems(
        self, who: Principal, review_id: str, output: dict[str, Any]
    ) -> tuple[Problem, ...]:
        """See `Reviews`."""
        return self.schema.problems(output)

    async def actions_waiting(self, who: Principal) -> int:
        """See `Reviews`."""
        return sum(
            one.kind == "action"
            for one in await self.queue(who, status=None, limit=1000, after=None)
        )

    async def preview(self, who: Principal, review_id: str, output: dict[str, Any]) -> Sent | None:
        """See `Reviews`."""
        return Sent("POST /it", {"body": output})

    async def decide(self, who: Principal, review_id: str, decision: Decision) -> Review:
        """See `Reviews`."""
        if decision.kind == "escalate":
            return await self._changed(
                who, review_id, decision.revision, group="leads", status="open", claimed_by=None
            )
        if decision.output is not None and self.schema.problems(decision.output):
            raise InvalidRequestError("The edit does not pass.")
        draft = self.reviews[review_id].draft
        output = decision.output if decision.kind == "edit" else draft
        return await self._changed(
            who, review_id, decision.revision, status="decided", decision=decision.kind,
            decided_by=who.name, note=decision.note,
            output=None if decision.kind == "reject" else output,
        )  # fmt: skip

    async def _changed(
        self, who: Principal, review_id: str, revision: int, **values: Any
    ) -> Review:
        review = await self.get(who, review_id)
        if review.revision != revision:
            raise ConflictError("Someone else has changed this review; look at it anew.")
        if review.claimed_by is not None and not review.mine:
            raise ConflictError(f"{review.claimed_by} works on it.")
        self.reviews[review_id] = msgspec.structs.replace(
            self.reviews[review_id], revision=revision + 1, **values
        )
        return await self.get(who, review_id)

    def _seen(self, review: Review, who: Principal) -> Review:
        return msgspec.structs.replace(review, mine=review.claimed_by == who.name)


class RunningConsole:
    """A server with a console, and its stores."""

    def __init__(self, address: str, database: Database, reviews: MemoryReviews) -> None:
        self.address = address
        self.database = database
        self.reviews = reviews
        self.users = UserStore(database)
        self.keys = KeyStore(database, load_secret(database, None))
        self.projects = ProjectStore(database)

    def new_key(self, role: Any, project: str = "default") -> str:
        """The secret of a new key."""
        new = NewKey(project=project, name=f"{role} of {project}", role=role)
        return self.keys.create(new, created_by="tests").plaintext

    def calls_in_ledger(self) -> int:
        """How many calls the ledger has by now."""
        with self.database.connect() as connection:
            return usage(connection)[0].calls

    def until_in_ledger(self, calls: int) -> None:
        """Wait until the ledger has that many calls."""
        deadline_s = time.monotonic() + 10
        while self.calls_in_ledger() < calls:
            assert time.monotonic() < deadline_s, f"the ledger never has {calls} calls"
            time.sleep(0.02)

    def visitor(self) -> Visitor:
        """Someone who is not signed in."""
        return Visitor(self.address)

    def signed_in(self, key: str = ADMIN_KEY) -> Visitor:
        """Someone who is."""
        visitor = self.visitor()
        page = visitor.sign_in(key=key)
        assert page.status == 303, page.text
        return visitor


def _needed_by(workflows: Path | None) -> str:
    """What else of its project's settings the workflows of one need: connectors, groups."""
    if workflows is None:
        return ""
    whole = yaml.safe_load((workflows.parent / "headgate.yaml").read_text("utf-8"))
    return yaml.safe_dump({name: whole[name] for name in ("connectors", "reviews", "tools")})


@contextmanager
def running_console(
    folder: Path,
    database_url: str,
    *,
    settings: str = "",
    workflows: Path | None = None,
    board: bool = False,
) -> Iterator[RunningConsole]:
    """A console on `database_url`, answered by a simulator; with the workflows of a project.

    Its reviews are in memory; those of the `board` where that is wanted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "headgate.yaml").write_text(settings or _SETTINGS + _needed_by(workflows))
    if workflows is not None:
        (folder / "workflows").symlink_to(workflows)
    reviews = MemoryReviews()
    with serve_in_thread(SimulatorConfig()) as simulator:
        variables = {
            "HEADGATE_DATABASE_URL": database_url,
            "OPENAI_API_KEY": "sk-of-the-simulator-0123456789",
            "OPENAI_BASE_URL": simulator.base_url,
        }
        plan = read_plan(folder, variables)
        prepare(plan, ADMIN_KEY)
        application = build(plan, reviews=None if board else reviews)
        with _served(plan, application) as address:
            database = Database(database_url)
            try:
                yield RunningConsole(address, database, reviews)
            finally:
                database.close()


@contextmanager
def _served(plan: Any, application: Application) -> Iterator[str]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    server = uvicorn.Server(_config(plan, application))
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listener])), name="console-of-the-tests"
    )
    thread.start()
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    while not server.started and thread.is_alive() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert server.started, "the console did not start"
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(_START_TIMEOUT_S)
        listener.close()

"""Someone who signs in to a running console and asks for its pages, as a browser would."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

ADMIN_KEY = "hg_admin-of-the-console-benchmark-0123456789"
_LISTENS = re.compile(r"listens on (http://\S+)")
_DEADLINE_S = 60.0


@contextmanager
def serving(
    folder: Path, database_url: str, addresses: Mapping[str, str] | None = None
) -> Iterator[str]:
    """A server on the database, with the example project; its address.

    `addresses` are those of the project's services, as its environment names them.
    """
    project = folder / "project"
    command = str(Path(sys.executable).with_name("headgate"))
    if not project.exists():
        subprocess.run([command, "init", str(project)], check=True, capture_output=True)
    environment = {"PATH": os.environ["PATH"], "HEADGATE_ADMIN_KEY": ADMIN_KEY}
    environment |= {"HEADGATE_DATABASE_URL": database_url, **(addresses or {})}
    with (folder / "server.txt").open("wb") as output:
        process = subprocess.Popen(
            [command, "serve", str(project), "--port", "0"],
            env=environment, stdout=output, stderr=output, cwd=folder,
        )  # fmt: skip
        try:
            deadline_s = time.monotonic() + _DEADLINE_S
            while not (found := _LISTENS.search((folder / "server.txt").read_text())):
                if process.poll() is not None or time.monotonic() > deadline_s:
                    raise RuntimeError((folder / "server.txt").read_text()[-2000:])
                time.sleep(0.05)
            yield found[1]
        finally:
            process.terminate()
            process.wait(20)


class Visitor:
    """Signed in with a key of one role."""

    def __init__(self, address: str, role: str) -> None:
        parts = urlsplit(address)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80)
        self._cookies: dict[str, str] = {}
        key = ADMIN_KEY if role == "admin" else self._new_key(role)
        page = self.get("/console/sign-in").decode()
        csrf = re.search(r'name="csrf" value="([^"]+)"', page)
        if csrf is None:
            raise RuntimeError("the sign-in page has no form")
        self._ask("POST", "/console/sign-in", urlencode({"csrf": csrf[1], "key": key}))
        self._run = self._some_run()

    def pages(self) -> list[tuple[str, str]]:
        """What to time: a title and an address."""
        overview, found = "/console?period=", "/console/runs?"
        titles = [
            (f"Overview, {period}, by {by}", f"{overview}{period}&by={by}")
            for period, by in (("1h", "workflow"), ("24h", "model"), ("7d", "workflow"),
                               ("30d", "feature"), ("90d", "workflow"))
        ]  # fmt: skip
        titles += [
            ("Overview, 7d, one workflow", f"{overview}7d&by=model&workflow=ticket-triage"),
            ("Overview, 30d, one workflow", f"{overview}30d&by=model&workflow=ticket-triage"),
            ("Runs", "/console/runs"),
            ("Runs of a workflow", f"{found}workflow=ticket-triage"),
            ("Runs that failed", f"{found}status=failed"),
            ("Runs of a rare workflow that failed", f"{found}workflow=spam-check&status=failed"),
            ("Runs that wait", f"{found}status=awaiting_review"),
            ("Runs that are queued: none", f"{found}status=queued"),
            ("Runs of a feature", f"{found}feature=crm"),
            ("Runs of a feature: none", f"{found}feature=nothing"),
            ("Runs of a version", f"{found}workflow=lead-scoring&version=1.3.1"),
            ("Runs, far back", f"{found}until=20d"),
            ("A run", f"/console/runs/{self._run}"),
            ("Workflows", "/console/workflows"),
            ("A workflow", "/console/workflows/ticket-triage"),
            ("Costs, 30d", "/console/costs?period=30d"),
            ("Keys", "/console/keys"),
            ("Reviews", "/console/reviews"),
        ]
        return titles

    def get(self, path: str) -> bytes:
        """The page at `path`."""
        return self._ask("GET", path, None)

    def _ask(self, method: str, path: str, form: str | None) -> bytes:
        headers = {"cookie": "; ".join(f"{n}={v}" for n, v in self._cookies.items())}
        if form is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, form, headers)
        reply = self._connection.getresponse()
        body = reply.read()
        for header in reply.headers.get_all("set-cookie") or ():
            name, _, value = header.partition(";")[0].partition("=")
            self._cookies[name] = value
        if reply.status not in (200, 303) or (form is None and reply.status != 200):
            raise RuntimeError(f"{path}: {reply.status} {body[:300]!r}")
        return body

    def _new_key(self, role: str) -> str:
        self._connection.request(
            "POST", "/api/keys", json.dumps({"name": "bench", "role": role, "project": "support"}),
            {"authorization": f"Bearer {ADMIN_KEY}"},
        )  # fmt: skip
        return str(json.loads(self._connection.getresponse().read())["key"])

    def _some_run(self) -> str:
        found = re.search(r'href="/console/runs/(run_\w+)"', self.get("/console/runs").decode())
        if found is None:
            raise RuntimeError("there is no run")
        return found[1]

"""`headgate run … --out FILE`: a file of inputs, row by row; broken off, it is resumed.

The results stand in the order of the rows, so how many there are says how far it is. Each row is an
asynchronous run with an Idempotency-Key of its own: asked for again, by the next start or after the
server was away, it is the same run, and nothing is paid twice. The keys' beginning is kept beside
the results, in FILE.progress, until the last row is there.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec

from headgate.cli.api_client import ApiClient, error_message
from headgate.errors import HeadgateError, UnavailableError

WAIT_S = 10
"""How long the server is asked to wait for a run's end; it goes on anyway."""

_PATIENCE_S = 300.0
"""How long a server may be away before this gives up; started again, it goes on."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_ROWS_AHEAD = 4
"""Rows under way or waiting to be written, for each that runs at once."""

_REFUSED_TO_ALL = frozenset({401, 403, 404})
_LATER = frozenset({409, 429, 503})


class RowResult(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the results."""

    row: int
    """1 for the first."""
    run_id: str | None
    """Null where the input was refused before it was a run."""
    status: str
    fallback: bool = False
    cost_usd: str | None = None
    output: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    """Message and code, where the row failed."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept while a file is under way."""

    batch: str
    workflow: str
    inputs_sha256: str


class FileRun:
    """One file's way; `results()` does what is left of it."""

    def __init__(self, workflow: str, inputs: Sequence[dict[str, Any]], out: Path) -> None:
        """Raises `HeadgateError` where `out` is there and not this file's, unfinished.

        Or where another start is still at it: until this one's results are there, none can be.
        """
        self._inputs = inputs
        self._out = out
        self._kept = out.with_name(f"{out.name}.progress")
        digest = hashlib.sha256(msgspec.json.encode(inputs)).hexdigest()
        if out.exists() and not self._kept.exists():
            raise self._finished()
        self._file = self._locked()
        try:
            self._progress = self._begun(workflow, digest)
            self.earlier = self._written()
            """Results that an earlier start has left."""
        except BaseException:
            self._file.close()
            raise

    def results(self, ask: Asking, concurrency: int) -> Iterator[RowResult]:
        """Ask for the rows that are left, and write each result in its turn."""
        waiting: deque[Future[RowResult]] = deque()
        left = iter(range(len(self.earlier), len(self._inputs)))
        threads = ThreadPoolExecutor(concurrency)
        try:
            with self._out.open("ab") as file:
                while True:
                    while len(waiting) < _ROWS_AHEAD * concurrency:
                        if (row := next(left, None)) is None:
                            break
                        key = f"{self._progress.batch}-{row + 1}"
                        waiting.append(threads.submit(ask, row + 1, self._inputs[row], key))
                    if not waiting:
                        break
                    result = waiting.popleft().result()
                    file.write(msgspec.json.encode(result) + b"\n")
                    file.flush()
                    yield result
                os.fsync(file.fileno())
            self._kept.unlink(missing_ok=True)
        finally:
            ask.stop()
            threads.shutdown(cancel_futures=True)
            ask.close()
            self._file.close()

    def _locked(self) -> BinaryIO:
        """The file of the progress, which no other start has while this one is at it."""
        try:
            file = self._kept.open("a+b")
        except OSError as error:
            raise HeadgateError(f"{self._kept} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise HeadgateError(
                f"another `headgate run` is writing {self._out}; wait for it, or name another --out"
            ) from None
        except OSError:
            pass  # there are file systems that know no locks
        return file

    def _begun(self, workflow: str, digest: str) -> Progress:
        self._file.seek(0)
        if content := self._file.read():
            try:
                found = msgspec.json.decode(content, type=Progress)
            except msgspec.DecodeError:
                raise HeadgateError(f"{self._kept} is not ours; name another --out") from None
            if (found.workflow, found.inputs_sha256) != (workflow, digest):
                raise HeadgateError(
                    f"{self._out} was begun with other inputs or for another workflow; name"
                    f" another --out, or delete it and {self._kept.name}"
                )
            return found
        # A start that was killed before it had written this has asked for no row.
        if self._out.exists():
            self._kept.unlink(missing_ok=True)
            raise self._finished()
        progress = Progress(
            batch=f"file-{os.urandom(12).hex()}", workflow=workflow, inputs_sha256=digest
        )
        # Before the first row is asked for: without it, that row would be asked for twice.
        self._file.write(msgspec.json.encode(progress))
        self._file.flush()
        os.fsync(self._file.fileno())
        return progress

    def _finished(self) -> HeadgateError:
        return HeadgateError(
            f"{self._out} exists and is finished, or not ours; name another --out or delete it"
        )

    def _written(self) -> list[RowResult]:
        """The results that are there; half a line, of a start that was killed, is cut off."""
        if not self._out.exists():
            return []
        content = self._out.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        try:
            found = [msgspec.json.decode(line, type=RowResult) for line in whole.splitlines()]
        except msgspec.DecodeError:
            raise HeadgateError(
                f"{self._out} holds what no run wrote; name another --out"
            ) from None
        if [result.row for result in found] != list(range(1, len(found) + 1)):
            raise HeadgateError(f"rows of {self._out} are missing; name another --out")
        if len(whole) != len(content):
            os.truncate(self._out, len(whole))
        return found


class Asking:
    """Asks a server for one row after the other, from several threads, until it has the answer."""

    def __init__(self, url: str, workflow_path: str, headers: Mapping[str, str]) -> None:
        self._url = url
        self._path = workflow_path
        self._headers = {**headers, "prefer": f"respond-async, wait={WAIT_S}"}
        self._idle: list[ApiClient] = []
        self._stopped = False

    def __call__(self, row: int, given: dict[str, Any], key: str) -> RowResult:
        """What became of `given`. Raises `HeadgateError` where no row would get an answer."""
        headers = {**self._headers, "idempotency-key": key}
        away_since_s: float | None = None
        pause_s = _FIRST_PAUSE_S
        while not self._stopped:
            client = self._idle.pop() if self._idle else ApiClient(self._url)
            try:
                status, answer, told = client.post(self._path, {"input": given}, headers)
            except UnavailableError:
                client.close()
                away_since_s = away_since_s or time.monotonic()
                if time.monotonic() - away_since_s > _PATIENCE_S:
                    raise
            else:
                self._idle.append(client)
                away_since_s = None
                run_id = told.get("x-headgate-run-id")
                if status == 202 and answer["status"] != "awaiting_review":
                    pause_s = _FIRST_PAUSE_S
                    continue
                if run_id is not None or status not in _LATER:
                    return _result(row, status, run_id, answer)
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        raise click.Abort

    def stop(self) -> None:
        """Ask no more; a call under way ends first."""
        self._stopped = True

    def close(self) -> None:
        """Close the connections, once no thread asks any more."""
        while self._idle:
            self._idle.pop().close()


def _result(row: int, status: int, run_id: str | None, answer: Any) -> RowResult:
    if status in (200, 202):
        return RowResult(
            row=row,
            run_id=run_id,
            status=answer["status"],
            fallback=answer["fallback"],
            cost_usd=answer["cost_usd"],
            output=answer.get("output"),
        )
    message = error_message(answer, status)
    if status in _REFUSED_TO_ALL and run_id is None:
        raise HeadgateError(message)
    code = answer["error"].get("code") if isinstance(answer, dict) and "error" in answer else None
    return RowResult(
        row=row, run_id=run_id, status="failed", error={"message": message, "code": code}
    )

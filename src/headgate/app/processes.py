"""How uvicorn's server and its supervisor of workers stop, so that no client is left hanging."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
from types import FrameType

import uvicorn
from uvicorn.supervisors import Multiprocess

_log = logging.getLogger(__name__)

_LAST_S = 3.0
"""How long what is left of a process that has stopped may take to end by itself."""


def end_soon() -> None:
    """Have this process end, whatever goes on in it; call it once all that must be kept is kept.

    Python waits for every task and most threads, and code that is not ours (a guard's, say) may
    heed no cancellation and never return.
    """
    timer = threading.Timer(_LAST_S, _end)
    timer.daemon = True
    timer.start()


def _end() -> None:
    _log.warning("stopped, though something goes on that does not end when it is told to")
    # Not `sys.exit`, which is what waits.
    os._exit(0)


class Server(uvicorn.Server):
    """One process's server. A second SIGINT ends the grace of a stop at once.

    uvicorn then skips the rest of its shutdown, but goes on waiting for connections that never
    close. Here the calls in flight are ended as they are when the grace is over: each tells its
    client, leaves its record, and the shutdown goes on as usual.
    """

    _loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See `uvicorn.Server`."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See `uvicorn.Server`."""
        if self.should_exit and sig == signal.SIGINT and self._loop is not None:
            self._loop.call_soon_threadsafe(self._end_calls)
        else:
            super().handle_exit(sig, frame)

    def _end_calls(self) -> None:
        for task in self.server_state.tasks:
            task.cancel()


class Workers(Multiprocess):
    """The supervisor of several workers.

    uvicorn's keeps the listening socket open until the last worker has stopped, so that who
    connects during a stop waits in a queue that nobody reads. And it replaces a worker without a
    word in the log: one that is killed every minute would only be seen by its clients.
    """

    def terminate_all(self) -> None:
        """See `Multiprocess`."""
        for listener in self.sockets:
            listener.close()
        super().terminate_all()

    def keep_subprocess_alive(self) -> None:
        """See `Multiprocess`."""
        before = list(self.processes)
        super().keep_subprocess_alive()
        for old, new in zip(before, self.processes, strict=True):
            if new is not old:
                # A negative status is the signal that ended it; -9 without anyone's doing is most
                # often a machine that ran out of memory.
                _log.error(
                    "a worker died and was replaced",
                    extra={"pid": old.pid, "status": old.exitcode, "replaced_by": new.pid},
                )

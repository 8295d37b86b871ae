"""Who opened a websocket, asked again as long as it is open: a key that ends, ends it too."""

from __future__ import annotations

import time

from headgate.gateway.caller import Caller
from headgate.intake.access.roles import require
from headgate.intake.http.openai_surface import OpenAISurface
from headgate.intake.http.request_body import Scope
from headgate.intake.sockets.client_secrets import Granted

_LOOKED_UP_AGAIN_S = 30.0
"""How often the key behind a client secret is looked up though no key has changed."""


class Standing:
    """The key, or the client secret, that one websocket was opened with."""

    def __init__(
        self,
        calls: OpenAISurface,
        scope: Scope,
        headers: dict[bytes, bytes],
        granted: Granted | None,
    ) -> None:
        """`granted` is what a client secret opens; None where a key was sent."""
        self._calls = calls
        self._scope = scope
        self._headers = headers
        self._granted = granted
        self._known: Caller | None = None
        self._known_of = -1
        self._known_until_s = 0.0

    async def caller(self) -> Caller:
        """Who may use it now. Raises as a request with that key would be refused.

        A key is looked for in memory, which takes microseconds; one behind a client secret in the
        database, where any key has changed since it last was.
        """
        if self._granted is None:
            caller = await self._calls.caller(self._scope, self._headers)
            require(caller.role, "models.call")
            return caller
        changes, now_s = self._calls.changes_of_keys, time.monotonic()
        if self._known is None or changes != self._known_of or now_s > self._known_until_s:
            key_id = self._granted.key_id
            caller = await self._calls.holder(self._scope, self._headers, key_id)
            require(caller.role, "models.call")
            self._known, self._known_of = caller, changes
            self._known_until_s = now_s + _LOOKED_UP_AGAIN_S
        return self._known

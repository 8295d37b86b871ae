"""Real `headgate serve` processes for tests, as an operator starts them, and a plain HTTP client.

`acceptance/` and `compat/` import these fixtures. `server_with(…)` starts a server of the test's
own, `shared_with(…)` one that a module's tests share; `gateway` is one that all tests of a worker
share, in front of the scripted `upstream`.
"""

from servers.fixtures import gateway, model, server_with, shared_with, simulated, upstream
from servers.ladders import ladders, target_of
from servers.patience import until
from servers.processes import HEADGATE, environment, headgate
from servers.replies import OpenStream, Reply, events_of
from servers.running import ADMIN_KEY, RunningServer
from servers.starting import PROVIDER_KEY, StartServer, end_server, start_server

__all__ = [
    "ADMIN_KEY",
    "HEADGATE",
    "PROVIDER_KEY",
    "OpenStream",
    "Reply",
    "RunningServer",
    "StartServer",
    "end_server",
    "environment",
    "events_of",
    "gateway",
    "headgate",
    "ladders",
    "model",
    "server_with",
    "shared_with",
    "simulated",
    "start_server",
    "target_of",
    "until",
    "upstream",
]

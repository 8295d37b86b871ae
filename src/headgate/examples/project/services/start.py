"""Starts the sample services that the workflows of this project ask, until Ctrl-C.

    python services/start.py                 on the ports that headgate.yaml expects
    python services/start.py --free-ports    on free ones, for tests; says where

A service is a file beside this one with `serve(port)`, `DEFAULT_PORT` and `VARIABLE`, and a line in
SERVICES. It says `VARIABLE=address` for each when all of them answer.
"""

import argparse
import contextlib
import signal
import sys
import threading
from pathlib import Path

import billing
import crm
import tickets

SERVICES = [crm, tickets]
"""Those that speak HTTP."""


def main() -> None:
    """Make the database, start the services, and serve."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    billing.make(Path(__file__).parent / "billing.db")
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--free-ports", action="store_true", help="for tests; it says which")
    parser.add_argument("--slow-tickets", default="0", metavar="S", help="S seconds late")
    chosen = parser.parse_args()
    free = chosen.free_ports
    tickets.SLOW_S = chosen.slow_tickets
    with contextlib.ExitStack() as stack:
        for service in SERVICES:
            try:
                server = service.serve(0 if free else service.DEFAULT_PORT)
            except OSError as error:
                sys.exit(f"port {service.DEFAULT_PORT}: {error.strerror}; try --free-ports")
            stack.callback(server.server_close)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
            print(f"{service.VARIABLE}=http://127.0.0.1:{server.server_port}", flush=True)
        print("The sample services answer until Ctrl-C.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()

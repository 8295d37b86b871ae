"""nginx as a bare proxy: one worker, kept connections, no log; and as the stub for plain replies.

It checks no key, parses no body and keeps no record: the floor of what a gateway can cost.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks.cores import Cores
from benchmarks.payloads import reply_body
from benchmarks.processes import BenchmarkError, Server, free_port, spawn
from benchmarks.systems.system import Running

_MAIN: Final = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  # The default closes a connection after 1,000 requests: at these rates, every few milliseconds.
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
{rest}
}}
"""
_PROXY: Final = """
  upstream model {{
    server {upstream};
    keepalive 512;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering {buffering};
    }}
  }}
"""
_STUB: Final = """
  server {{
    listen 127.0.0.1:{port};
    default_type application/json;
    location / {{
      add_header x-request-id req_3b1f0c9e57d24a86;
      add_header openai-version 2020-10-01;
      add_header openai-processing-ms 12;
      return 200 '{reply}';
    }}
  }}
"""


def installed() -> bool:
    """Tell whether nginx is on the path (or in /usr/sbin)."""
    return _program() is not None


def start_stub(folder: Path) -> tuple[Server, str]:
    """Start nginx as the upstream for plain replies, on our own core; return it and its address."""
    reply = reply_body().decode()
    if "'" in reply or "$" in reply or "\\" in reply:
        raise BenchmarkError("the reply holds what nginx would read as its own")
    port = free_port()
    server = _spawn(_STUB.format(port=port, reply=reply), folder, None)
    return server, f"http://127.0.0.1:{port}/v1"


class Nginx:
    """A bare reverse proxy, the floor of what any gateway can cost."""

    name = "nginx"
    streams = True

    @property
    def title(self) -> str:
        """Tell nginx's version."""
        program = _program()
        if program is None:
            return "nginx, a bare proxy"
        told = subprocess.run([program, "-v"], capture_output=True, text=True, check=False)
        version = told.stderr.strip().rpartition("/")[2]
        return f"nginx {version}, a bare proxy: no keys, no ledger, no metrics"

    def prepare(self, work: Path) -> str:
        """Say how to install it where it is missing."""
        del work
        return "" if installed() else "nginx is not installed (Debian: apt-get install nginx-light)"

    def start(
        self, upstream_url: str, folder: Path, cores: Cores | None, *, streams: bool
    ) -> Running:
        """Start it before the upstream; without buffering for streams."""
        port = free_port()
        proxy = _PROXY.format(
            upstream=urlsplit(upstream_url).netloc,
            port=port,
            buffering="off" if streams else "on",
        )
        return Running(
            url=f"http://127.0.0.1:{port}/v1/chat/completions",
            headers={"Authorization": "Bearer sk-stub"},
            server=_spawn(proxy, folder, cores),
        )


def _spawn(rest: str, folder: Path, cores: Cores | None) -> Server:
    program = _program()
    if program is None:
        raise BenchmarkError("nginx is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    # Started by root, nginx would give its worker to a user who may not enter the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(_MAIN.format(user=user, folder=folder, rest=rest))
    command = [program, "-e", str(folder / "error.log"), "-p", str(folder), "-c"]
    return spawn([*command, str(configuration)], folder=folder, environment={}, cores=cores)


def _program() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

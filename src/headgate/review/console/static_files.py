"""The console's style and scripts, under an address that changes whenever one of them does."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from headgate.errors import NotFoundError

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_YEAR_S = 31_536_000


@cache
def files() -> dict[str, Path]:
    """Name → file; only these are served."""
    return {
        path.relative_to(_FOLDER).as_posix(): path
        for path in sorted(_FOLDER.rglob("*"))
        if path.suffix in _TYPES
    }


@cache
def version() -> str:
    """Twelve hexadecimal digits that stand for the contents of all files."""
    digest = hashlib.sha256()
    for name, path in files().items():
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


async def static_file(request: Request) -> Response:
    """`/console/static/{version}/{name}`."""
    path = files().get(request.path_params["name"])
    if path is None or request.path_params["version"] != version():
        raise NotFoundError("There is no such file; load the page anew.")
    return Response(
        path.read_bytes(),
        media_type=_TYPES[path.suffix],
        headers={"cache-control": f"public, max-age={_YEAR_S}, immutable"},
    )

"""The addresses of the simulator's objects and who answers them."""

from __future__ import annotations

from collections.abc import Callable

from headgate.simulator.endpoints.files import (
    add_part,
    cancel_upload,
    complete_upload,
    create_file,
    create_upload,
    delete_file,
    get_file,
    get_file_content,
    list_files,
)
from headgate.simulator.exchange import Exchange
from headgate.simulator.wire.reply import Reply

OBJECT_ROUTES: tuple[tuple[str, str, Callable[[Exchange, str], Reply]], ...] = (
    ("POST", "/files", create_file),
    ("GET", "/files", list_files),
    ("GET", "/files/{id}", get_file),
    ("DELETE", "/files/{id}", delete_file),
    ("GET", "/files/{id}/content", get_file_content),
    ("POST", "/uploads", create_upload),
    ("POST", "/uploads/{id}/parts", add_part),
    ("POST", "/uploads/{id}/complete", complete_upload),
    ("POST", "/uploads/{id}/cancel", cancel_upload),
)

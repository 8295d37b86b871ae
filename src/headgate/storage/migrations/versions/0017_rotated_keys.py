"""Keys are found by what they were rotated to, too."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_index("keys_by_successor", "keys", ["replaced_by"])

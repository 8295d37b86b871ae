"""By which of a provider's keys an object was made, which alone can see it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("objects", sa.Column("provider_key", sa.String(64)))

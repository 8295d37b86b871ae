"""The tables of allowances and of the alerts about them. `storage.schema` holds the others."""

from __future__ import annotations

import sqlalchemy as sa

from headgate.storage.schema import metadata

allowances = sa.Table(
    "allowances",
    metadata,
    sa.Column("rule", sa.String(600), primary_key=True),
    sa.Column("subject", sa.String(320), primary_key=True),
    sa.Column("period_us", sa.BigInteger, primary_key=True, comment="when the window began"),
    sa.Column(
        "taken", sa.BigInteger, nullable=False, comment="spent, reserved or leased; never too much"
    ),
    sa.Column("spent", sa.BigInteger, nullable=False, comment="by calls that have ended"),
    sa.Column("detail", sa.Text, nullable=False, comment="JSON of `ledger.allowances.standing`"),
    sa.Column("touched_at_us", sa.BigInteger, nullable=False),
    sa.Column(
        "extra",
        sa.BigInteger,
        nullable=False,
        server_default=sa.text("0"),
        comment="what people granted beyond the limit, in this window",
    ),
    sa.Index("allowances_by_touch", "touched_at_us"),
    comment="What each limit and budget has given out, in each window.",
)

allowance_holders = sa.Table(
    "allowance_holders",
    metadata,
    sa.Column("holder", sa.String(48), primary_key=True),
    sa.Column("turn", sa.BigInteger, nullable=False, comment="number of its last transaction"),
    sa.Column("seen_at_us", sa.BigInteger, nullable=False),
    comment="The processes that lease shares of allowances.",
)

alert_deliveries = sa.Table(
    "alert_deliveries",
    metadata,
    sa.Column("rule", sa.String(600), primary_key=True),
    sa.Column("subject", sa.String(320), primary_key=True),
    sa.Column("period_us", sa.BigInteger, primary_key=True),
    sa.Column("threshold", sa.Integer, primary_key=True, comment="percent"),
    sa.Column("channel", sa.String(96), primary_key=True, comment="`log`, `webhook:NAME`, …"),
    sa.Column("id", sa.String(48), nullable=False, comment="the same on all channels"),
    sa.Column("body", sa.Text, nullable=False, comment="JSON of the alert; no contents"),
    sa.Column("state", sa.String(8), nullable=False, comment="waiting, sent or dead"),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at_us", sa.BigInteger, nullable=False),
    sa.Index("alert_deliveries_due", "state", "due_at_us"),
    comment="Each alert once for each channel; the key decides which process told it first.",
)

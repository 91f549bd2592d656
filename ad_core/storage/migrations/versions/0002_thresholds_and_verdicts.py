"""Saved thresholds and verdicts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "threshold",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("run_id", sa.String(), sa.ForeignKey("run.id"), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("created", moment, nullable=False),
    )
    op.create_index("ix_threshold_run_id", "threshold", ["run_id"])
    op.create_table(
        "verdict",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("dataset_id", sa.String(), sa.ForeignKey("dataset.id"), nullable=False),
        sa.Column("row_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.Column("score", sa.Double()),
        sa.Column("p_value", sa.Double()),
        sa.Column("threshold", sa.JSON(), nullable=False),
    )
    op.create_index("ix_verdict_of_row", "verdict", ["dataset_id", "row_id"])

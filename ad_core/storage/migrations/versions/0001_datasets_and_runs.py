"""Data sets and runs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "dataset",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("modality", sa.String(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("declared", sa.JSON(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("created", moment, nullable=False),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("dataset_id", sa.String(), sa.ForeignKey("dataset.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("parent", sa.String(), sa.ForeignKey("run.id")),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("slot", sa.String()),
        sa.Column("pid", sa.Integer()),
        sa.Column("pid_started", sa.String()),
        sa.Column("host", sa.String()),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("error", sa.String()),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.Column("started", moment),
        sa.Column("ended", moment),
        sa.Column("heartbeat", moment),
    )
    op.create_index("ix_run_dataset_id", "run", ["dataset_id"])
    op.create_index("ix_run_parent", "run", ["parent"])
    op.create_index("ix_run_status", "run", ["status"])
    running = sa.text("status = 'running'")
    op.create_index(
        "one_running_per_slot", "run", ["host", "slot"], unique=True, sqlite_where=running, postgresql_where=running
    )

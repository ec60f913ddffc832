"""Resources and events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Creates both tables and their indexes."""
    op.create_table(
        "resources",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("account", sa.String(16), nullable=False),
        sa.Column("region", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("name", sa.String(512), nullable=False),
        sa.Column("arn", sa.String(1024), nullable=False),
        sa.Column("asked", sa.JSON, nullable=False),
        sa.Column("found", sa.JSON, nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("modified", sa.Float, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("due", sa.Float),
        sa.Column("todo", sa.JSON, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.UniqueConstraint("account", "region", "kind", "name", name="resources_name"),
        sqlite_autoincrement=True,
    )
    scope = ["account", "region", "kind"]
    op.create_index("resources_created", "resources", [*scope, "created", "id"])
    op.create_index("resources_modified", "resources", [*scope, "modified", "id"])
    op.create_index("resources_status", "resources", [*scope, "status", "created", "id"])
    op.create_index("resources_arn", "resources", ["arn"])
    has_due = sa.text("due IS NOT NULL")
    op.create_index("resources_due", "resources", ["due"], sqlite_where=has_due, postgresql_where=has_due)
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("resource", sa.Integer, sa.ForeignKey("resources.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
    )
    op.create_index("events_resource", "events", ["resource", "id"])

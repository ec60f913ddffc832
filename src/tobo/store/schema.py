"""The tables: resources of every noun, and the events that moved them."""

import sqlalchemy as sa

metadata = sa.MetaData()

resources = sa.Table(
    "resources",
    metadata,
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
    sa.Column("due", sa.Float, nullable=True),
    sa.Column("todo", sa.JSON, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("account", "region", "kind", "name", name="resources_name"),
    sa.Index("resources_created", "account", "region", "kind", "created", "id"),
    sa.Index("resources_modified", "account", "region", "kind", "modified", "id"),
    sa.Index("resources_status", "account", "region", "kind", "status", "created", "id"),
    sa.Index("resources_arn", "arn"),
    sa.Index(
        "resources_due", "due", sqlite_where=sa.text("due IS NOT NULL"), postgresql_where=sa.text("due IS NOT NULL")
    ),
    sqlite_autoincrement=True,  # an id is never given twice: page tokens of deleted rows stay unambiguous
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("resource", sa.Integer, sa.ForeignKey("resources.id", ondelete="CASCADE"), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("state", sa.String(64), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Index("events_resource", "resource", "id"),
)

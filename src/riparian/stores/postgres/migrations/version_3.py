"""How is a page of decisions read without reading all of them, and events by step?"""

from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Make the indexes."""
    op.execute("CREATE INDEX event_of_step ON event (step)")
    op.execute("CREATE INDEX decision_strongest ON decision ((-restraint), (-bits), account, until_us)")


def downgrade() -> None:
    """Remove them."""
    op.execute("DROP INDEX decision_strongest")
    op.execute("DROP INDEX event_of_step")

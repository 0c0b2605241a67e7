"""What do people do together: with which ring was an account proposed and ended?"""

from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Name the ring of each event; 0 for none."""
    op.execute("ALTER TABLE event ADD COLUMN ring BIGINT NOT NULL DEFAULT 0")


def downgrade() -> None:
    """Forget the rings, which the version before did not know."""
    op.execute("ALTER TABLE event DROP COLUMN ring")

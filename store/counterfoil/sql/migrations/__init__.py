"""What Alembic needs to find beside the scripts of a database."""

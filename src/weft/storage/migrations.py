"""Migrations: alembic, driven from code, over a connection of ours.

Expand first, contract later: a migration must not break the version of Weft that is still running beside it.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from weft.domain.errors import StartupError
from weft.storage.database import Database

LOCK_TIMEOUT_SECONDS = 10
"""A migration that waits longer for a table gives up: behind it every other query would wait too."""
ADVISORY_LOCK = 0x77656674  # "weft": two processes that migrate at once do it one after the other


def folder() -> Path:
    """The migrations lie beside the sources: Weft runs from a checkout, which is installed as editable."""
    beside = Path(__file__).parents[3] / "migrations"
    if not (beside / "env.py").exists():
        raise StartupError(f"The migrations are missing: {beside} belongs beside the folder src of the checkout.")
    return beside


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    return config


def head() -> str:
    revision = _script().get_current_head()
    if revision is None:
        raise StartupError("There are no migrations.")
    return revision


async def migrate(database: Database, target: str = "head") -> None:
    """Bring the database up to `target`, in one transaction; safe to call from several processes at once.

    Raises StartupError where the database is at a migration that this version does not know.
    """
    async with database.transaction() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'"))
        await connection.run_sync(_upgrade, target)


async def downgrade(database: Database, target: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        await connection.run_sync(_downgrade, target)


async def current(database: Database) -> str | None:
    """The revision that the database is at; None for an empty one."""
    async with database.reading() as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


async def check(database: Database) -> None:
    """Raises StartupError where the database is older than this version of Weft.

    A newer one is good: a migration does not break the version that still runs beside it.
    """
    found = await current(database)
    if found is None or (found != head() and _knows(found)):
        raise StartupError(
            f"The database is {'empty' if found is None else f'at migration {found}'}; "
            f"this version of Weft needs {head()}: weft migrate"
        )


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(configuration())


def _knows(revision: str) -> bool:
    return any(script.revision == revision for script in _script().walk_revisions())


def _upgrade(connection: Connection, target: str) -> None:
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and not _knows(found):
        raise StartupError(
            f"The database is at migration {found}, which this version of Weft does not know: "
            "it belongs to a newer version, or to another program."
        )
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, target)


def _downgrade(connection: Connection, target: str) -> None:
    config = configuration()
    config.attributes["connection"] = connection
    command.downgrade(config, target)

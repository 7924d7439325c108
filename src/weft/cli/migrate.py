"""`weft migrate`: bring the database up to this version."""

import asyncio

import click

from weft.cli.services import database_of
from weft.settings import Settings
from weft.storage import migrations


@click.command()
@click.option("--check", is_flag=True, help="Only say whether the database is up to date; status 1 when it is not.")
def migrate(*, check: bool) -> None:
    """Bring the database up to this version of Weft. Safe to run from several processes at once."""
    found = asyncio.run(_migrate(check=check))
    if found == migrations.head():
        click.echo(f"The database is at {found}, as this version needs.")
        return
    click.echo(f"The database is at {found}; this version needs {migrations.head()}.", err=True)
    raise SystemExit(1)


async def _migrate(*, check: bool) -> str | None:
    async with database_of(Settings()) as database:
        if not check:
            await migrations.migrate(database)
        return await migrations.current(database)

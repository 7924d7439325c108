"""`weft keys`: API keys, for whoever may read the secret key and reach the database."""

import asyncio

import click

from weft.cli.kept_secrets import known_secret_key
from weft.cli.services import database_of
from weft.domain.access import Role
from weft.operations.keys import first_key
from weft.settings import Settings
from weft.storage import migrations


@click.group()
def keys() -> None:
    """Make API keys. Further ones are made, listed and revoked through the API."""


@keys.command()
@click.option("--workspace", default="default", show_default=True, help="Made where it does not exist.")
@click.option("--name", default="made on the command line", show_default=True, help="To recognise the key by.")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.ADMIN.value, show_default=True)
def create(workspace: str, name: str, role: str) -> None:
    """Make an API key and print it. It is shown only here."""
    click.echo(asyncio.run(_create(Settings(), workspace, name, Role(role))))


async def _create(settings: Settings, workspace: str, name: str, role: Role) -> str:
    secret_key = known_secret_key(settings).encode()
    async with database_of(settings) as database:
        await migrations.check(database)
        return await first_key(database, secret_key, workspace=workspace, name=name, role=role)

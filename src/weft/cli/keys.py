"""`weft keys`: API keys, for whoever may read the secret key and reach the database."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime

import click

from weft.cli.kept_secrets import known_secret_key
from weft.cli.services import database_of
from weft.domain.access import ApiKey, Role
from weft.kit.clock import utc_now
from weft.operations.keys import first_key
from weft.operations.operator_keys import keys_of, revoke_by_prefix
from weft.settings import Settings
from weft.storage import migrations
from weft.storage.database import Database

_ROW = "{:<13} {:<7} {:<26} {:<17} {}"
_workspace = click.option("--workspace", default="default", show_default=True, help="Whose keys.")


@click.group()
def keys() -> None:
    """Make, list and revoke API keys. Admins do the same through the API."""


@keys.command()
@click.option("--workspace", default="default", show_default=True, help="Made where it does not exist.")
@click.option("--name", default="made on the command line", show_default=True, help="To recognise the key by.")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.ADMIN.value, show_default=True)
def create(workspace: str, name: str, role: str) -> None:
    """Make an API key and print it. It is shown only here."""
    click.echo(asyncio.run(_create(Settings(), workspace, name, Role(role))))


@keys.command("list")
@_workspace
def list_(workspace: str) -> None:
    """Show the keys of a workspace, newest first."""
    click.echo(_ROW.format("Begins with", "Role", "State", "Last used", "Name"))
    for key in asyncio.run(_list(Settings(), workspace)):
        # A name comes from whoever made the key: nothing in it is for this terminal.
        name = "".join(character if character.isprintable() else "?" for character in key.name)
        click.echo(_ROW.format(key.prefix, key.role, _state(key, utc_now()), _time(key.last_used_at), name))


@keys.command()
@_workspace
@click.argument("prefix")
def revoke(workspace: str, prefix: str) -> None:
    """Revoke the key that begins with PREFIX, as `weft keys list` shows it."""
    revoked = asyncio.run(_revoke(Settings(), workspace, prefix))
    click.echo(f"Revoked {revoked.name!r}: within a second or two it opens nothing any more.")


async def _create(settings: Settings, workspace: str, name: str, role: Role) -> str:
    secret_key = known_secret_key(settings).encode()
    async with _database(settings) as database:
        return await first_key(database, secret_key, workspace=workspace, name=name, role=role)


async def _list(settings: Settings, workspace: str) -> list[ApiKey]:
    async with _database(settings) as database:
        return await keys_of(database, workspace)


async def _revoke(settings: Settings, workspace: str, prefix: str) -> ApiKey:
    async with _database(settings) as database:
        return await revoke_by_prefix(database, workspace, prefix, now=utc_now(), actor="the command line")


@asynccontextmanager
async def _database(settings: Settings) -> AsyncGenerator[Database]:
    async with database_of(settings) as database:
        await migrations.check(database)
        yield database


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return f"revoked {_time(key.revoked_at)}"
    if key.expires_at is None:
        return "good"
    return f"{'good till' if key.expires_at > now else 'expired'} {_time(key.expires_at)}"


def _time(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M}"

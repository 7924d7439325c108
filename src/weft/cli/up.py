"""`weft up`: everything on this machine: services, migrations, the API and workers."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import click

from weft.cli.kept_secrets import api_key_of, secret_key_of
from weft.cli.services import ServiceUrls, services_of
from weft.domain.errors import StartupError
from weft.embedded import Child, Children, ended_by_signals
from weft.settings import Settings
from weft.storage.database import Database
from weft.storage.migrations import migrate

MOST_WORKERS = 8
READY_WITHIN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Running:
    """A Weft that is up on this machine."""

    url: str
    api_key: str
    children: Children


@click.command()
def up() -> None:
    """Start PostgreSQL, Valkey, the API and workers, and run until Ctrl-C. Nothing but Python is needed."""
    asyncio.run(_up(Settings()))
    click.echo("Weft has stopped.")


async def _up(settings: Settings) -> None:
    async with ended_by_signals(), everything(settings) as running:
        click.echo(f"Weft is up:  {running.url}/graphql")
        click.echo(f"API key:     {running.api_key}  (kept in {settings.data_dir / 'api_key'})")
        click.echo("Open the address in a browser, or send the key as `Authorization: Bearer …`. Ctrl-C stops.")
        await running.children.wait()


@asynccontextmanager
async def everything(settings: Settings) -> AsyncGenerator[Running]:
    """Services, migrations, one API and workers, ready to be asked."""
    port = free_port(settings.host, settings.port)
    async with services_of(settings) as services:
        secret_key = secret_key_of(settings)
        database = Database.connect(services.database, pool_size=2)
        try:
            await migrate(database)
            api_key = await api_key_of(settings, database, secret_key)
        finally:
            await database.close()
        url = settings.public_url or f"http://{settings.host}:{port}"
        environment = _environment(services, secret_key, port)
        async with Children(_children(settings, environment)) as children:
            await _until_ready(f"http://{settings.host}:{port}/readyz", children)
            yield Running(url, api_key, children)


def _environment(services: ServiceUrls, secret_key: str, port: int) -> dict[str, str]:
    return {
        "WEFT_DATABASE_URL": services.database,
        "WEFT_REDIS_URL": services.redis,
        "WEFT_SECRET_KEY": secret_key,
        "WEFT_PORT": str(port),
    }


def _children(settings: Settings, environment: dict[str, str]) -> list[Child]:
    weft = (sys.executable, "-m", "weft.cli")
    workers = settings.workers or min(os.cpu_count() or 1, MOST_WORKERS)
    return [
        Child("api", (*weft, "api"), environment),
        *(Child(f"worker-{number}", (*weft, "worker"), environment) for number in range(1, workers + 1)),
    ]


def free_port(host: str, port: int) -> int:
    """The port, when it is free; any free one for 0."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StartupError(
                f"The API cannot listen on {host}:{port}: {error.strerror}. Choose another port: WEFT_PORT=8001"
            ) from error
        return int(probe.getsockname()[1])


async def _until_ready(url: str, children: Children) -> None:
    given_up = asyncio.create_task(children.wait())
    try:
        async with asyncio.timeout(READY_WITHIN_SECONDS), aiohttp.ClientSession() as session:
            while not await _answers(session, url):
                if given_up.done():
                    given_up.result()
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise StartupError(f"The API was not ready within {READY_WITHIN_SECONDS} s; its output is above.") from None
    finally:
        given_up.cancel()


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as reply:
            return reply.status == 200  # noqa: PLR2004 - HTTP's OK
    except aiohttp.ClientError:
        return False

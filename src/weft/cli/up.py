"""`weft up`: everything on this machine: services, migrations, the API and workers."""

import asyncio
import errno
import os
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import click

from weft.cli.answering import unready
from weft.cli.kept_secrets import api_key_file, api_key_of, secret_key_of
from weft.cli.services import ServiceUrls, connected, services_of
from weft.domain.errors import StartupError
from weft.embedded import Child, Children, ended_by_signals, running_services
from weft.graphql.trusted import Others
from weft.graphql.trusted import load as trusted_documents
from weft.settings import Settings
from weft.steps import discover
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
    """Start everything on this machine, until Ctrl-C.

    PostgreSQL and Valkey (where WEFT_DATABASE_URL and WEFT_REDIS_URL name no others), the migrations, the API and
    workers. Nothing but Python is needed. The data is kept in WEFT_DATA_DIR.
    """
    asyncio.run(_up(Settings()))
    click.echo("Weft has stopped.")


async def _up(settings: Settings) -> None:
    async with ended_by_signals():
        click.echo("Weft is starting …")
        async with everything(settings) as running:
            click.echo(welcome(settings, running.url, running.api_key))
            try:
                await running.children.wait()
            finally:
                # Steps that wait for others are given some seconds to answer.
                click.echo("Weft is stopping …")


def welcome(settings: Settings, url: str, api_key: str) -> str:
    """Where it is and what opens it."""
    explorer = ""
    if settings.graphiql and Others(settings.other_documents).explorable(settings.trusted_documents):
        # What stands behind the # stays in the browser: the explorer takes the key from there.
        explorer = f"  Explorer  {url}/graphql#key={api_key}\n"
    elif settings.graphiql:
        explorer = "  Explorer  off: WEFT_TRUSTED_DOCUMENTS (WEFT_OTHER_DOCUMENTS=admin opens it for admins)\n"
    return (
        f"Weft is up. Ctrl-C stops it.\n\n{explorer}"
        f"  GraphQL   {url}/graphql\n"
        f"  API key   {api_key}  (kept in {api_key_file(settings)})\n"
    )


@asynccontextmanager
async def everything(settings: Settings) -> AsyncGenerator[Running]:
    """Services, migrations, one API and workers, ready to be asked."""
    if (holder := running_services(settings.data_dir)) is not None:
        raise StartupError(
            f"Weft is running in {settings.data_dir} already, as process {holder.pid}: "
            "use that one or stop it, or choose another folder with WEFT_DATA_DIR."
        )
    _check_files(settings)
    port = free_port(settings.host, settings.port)
    async with services_of(settings) as services:
        secret_key = secret_key_of(settings)
        async with connected(services.database, settings) as database:
            await migrate(database)
            api_key = await api_key_of(settings, database, secret_key)
        here = f"http://{_reachable(settings.host)}:{port}"
        url = settings.public_url or here
        environment = _environment(settings, services, secret_key, port) | {"WEFT_PUBLIC_URL": url}
        async with Children(_children(settings, environment)) as children:
            await _until_ready(here, children, secret_key)
            yield Running(url, api_key, children)


def _check_files(settings: Settings) -> None:
    """Raises StartupError for what all children would refuse, each with the same sentence."""
    discover()
    if settings.trusted_documents is not None:
        trusted_documents(settings.trusted_documents, Others(settings.other_documents))


def _environment(settings: Settings, services: ServiceUrls, secret_key: str, port: int) -> dict[str, str]:
    # What a process tells when all is well is for those who run many: here it would bury the address and the key.
    log_level = settings.log_level if "log_level" in settings.model_fields_set else "warning"
    return {
        "WEFT_DATABASE_URL": services.database,
        "WEFT_REDIS_URL": services.redis,
        "WEFT_SECRET_KEY": secret_key,
        "WEFT_PORT": str(port),
        "WEFT_LOG_LEVEL": log_level,
        "WEFT_SQLITE_FOLDER": str((settings.sqlite_folder or settings.data_dir / "sqlite").absolute()),
    }


def _children(settings: Settings, environment: dict[str, str]) -> list[Child]:
    weft = (sys.executable, "-m", "weft.cli")
    workers = settings.workers or min(os.cpu_count() or 1, MOST_WORKERS)
    return [
        Child("api", (*weft, "api"), environment),
        *(Child(f"worker-{number}", (*weft, "worker"), environment) for number in range(1, workers + 1)),
    ]


def _reachable(host: str) -> str:
    """As it stands in a URL: one that listens everywhere is reached at this machine's own address."""
    named = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not listened on
    return f"[{named}]" if ":" in named else named


def free_port(host: str, port: int) -> int:
    """The port, when it is free; any free one for 0."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = error.errno in {errno.EADDRINUSE, errno.EACCES}
            choose = "port with WEFT_PORT, 0 for any free one" if taken else "address with WEFT_HOST"
            raise StartupError(
                f"The API cannot listen on {host}:{port}: {error.strerror}. Choose another {choose}."
            ) from error
        return int(probe.getsockname()[1])


async def _until_ready(url: str, children: Children, secret_key: str) -> None:
    given_up, found = asyncio.create_task(children.wait()), "no answer"
    try:
        async with asyncio.timeout(READY_WITHIN_SECONDS), aiohttp.ClientSession() as session:
            while (found := await unready(session, url, secret_key)) is not None:
                if given_up.done():
                    given_up.result()
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise StartupError(
            f"The API was not ready within {READY_WITHIN_SECONDS} s, see its output above. It said: {found}"
        ) from None
    finally:
        given_up.cancel()

"""`weft worker`: one worker process."""

import asyncio
from datetime import timedelta

import click
import uvloop

from weft.cli.services import check_database
from weft.domain.errors import StartupError
from weft.kit.logs import configure_logs
from weft.settings import Settings
from weft.worker import WorkerOptions, run_worker


@click.command()
def worker() -> None:
    """Run workflows until SIGTERM. Needs WEFT_DATABASE_URL and WEFT_REDIS_URL. Start as many as there are cores."""
    settings = Settings()
    configure_logs(settings.log_level, settings.log_format)
    if settings.database_url is None or settings.redis_url is None:
        raise StartupError("A worker needs WEFT_DATABASE_URL and WEFT_REDIS_URL. To start all on this machine: weft up")
    if settings.secret_key is None:
        raise StartupError("A worker needs WEFT_SECRET_KEY: the same as the API, to open the secrets that are kept.")
    asyncio.run(check_database(settings))
    options = WorkerOptions(
        database_url=settings.database_url,
        redis_url=settings.redis_url,
        lease=timedelta(seconds=settings.lease_seconds),
        secret_key=settings.secret_key.get_secret_value().encode(),
        patience=timedelta(seconds=settings.stall_seconds),
        allowed_hosts=settings.allowed_hosts,
        sqlite_folder=settings.sqlite_folder,
        files=settings.files,
        mail=settings.mail,
        delivery_attempts=settings.delivery_attempts,
        ages=settings.ages,
        pool_size=settings.database_pool_size,
        statement_cache=settings.statement_cache,
    )
    uvloop.run(run_worker(options))

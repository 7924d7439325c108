"""`weft api`: one API process."""

import asyncio

import click

from weft.app import serve
from weft.cli.services import check_database
from weft.kit.logs import configure_logs
from weft.settings import Settings


@click.command()
def api() -> None:
    """Serve the GraphQL API until SIGTERM. Needs WEFT_DATABASE_URL, WEFT_REDIS_URL and WEFT_SECRET_KEY."""
    settings = Settings()
    configure_logs(settings.log_level, settings.log_format)
    if settings.secret_key is not None:  # else nothing is worth waiting for: what is missing is said at once
        asyncio.run(check_database(settings))
    serve(settings)

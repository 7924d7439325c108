"""`weft api`: one API process."""

import click

from weft.app import serve
from weft.settings import Settings


@click.command()
def api() -> None:
    """Serve the GraphQL API until SIGTERM. Needs WEFT_DATABASE_URL, WEFT_REDIS_URL and WEFT_SECRET_KEY."""
    serve(Settings())

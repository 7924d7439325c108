"""The group of commands, and how an error ends one."""

import sys
from typing import Any

import click
from pydantic import ValidationError

from weft.cli import api, demo, keys, migrate, schema, up, worker
from weft.domain.errors import WeftError
from weft.embedded import EmbeddedServicesError


class Commands(click.Group):
    """Ends with one sentence and status 1 where a person can put right what went wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ValidationError as error:
            for problem in error.errors():
                name = "_".join(str(part) for part in problem["loc"]).upper()
                click.echo(f"weft: the setting WEFT_{name} {problem['msg'].removeprefix('Value error, ')}", err=True)
        except (WeftError, EmbeddedServicesError) as error:
            click.echo(f"weft: {error}", err=True)
        sys.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="weft")
def main() -> None:
    """Weft runs workflows over batches of entities and shows, live and exactly, how far they are."""


for command in (up.up, demo.demo, api.api, worker.worker, migrate.migrate, schema.schema, keys.keys):
    main.add_command(command)

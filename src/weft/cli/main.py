"""The group of commands, and how an error ends one."""

import sys
from importlib import import_module
from typing import Any

import click
from pydantic import ValidationError

from weft.domain.errors import WeftError
from weft.embedded import EmbeddedServicesError

COMMANDS = ("up", "demo", "api", "worker", "migrate", "schema", "keys")


class Commands(click.Group):
    """Each command is the function of its module's name, loaded when it is called: a worker needs no GraphQL.

    A command ends with one sentence and status 1 where a person can put right what went wrong.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in COMMANDS:
            return None
        return getattr(import_module(f"weft.cli.{cmd_name}"), cmd_name)

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

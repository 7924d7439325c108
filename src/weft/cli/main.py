"""The group of commands, and how an error ends one."""

import os
import sys
from importlib import import_module
from typing import Any

import click
from pydantic import ValidationError

from weft.cli.problems import file_problem, setting_problems
from weft.domain.errors import StartupError, WeftError
from weft.embedded import EmbeddedServicesError

COMMANDS = ("up", "demo", "api", "worker", "migrate", "schema", "keys")
_SUPERVISED = {"api", "worker"}


class Commands(click.Group):
    """Each command is the function of its module's name, loaded when it is called: a worker needs no GraphQL.

    A command ends with one sentence and status 1 where a person can put right what went wrong. A process that cannot start
    ends with the status of a wrong configuration (78, sysexits.h): starting it again as it is would not help.
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
            _say(*setting_problems(error))
        except StartupError as error:
            _say(str(error))
            if ctx.invoked_subcommand in _SUPERVISED:
                sys.exit(os.EX_CONFIG)
        except (WeftError, EmbeddedServicesError) as error:
            _say(str(error))
        except OSError as error:
            if (problem := file_problem(error)) is None:
                raise
            _say(problem)
        sys.exit(1)


def _say(*sentences: str) -> None:
    for sentence in sentences:
        click.echo(f"weft: {sentence}", err=True)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="weft")
def main() -> None:
    """Weft runs workflows over batches of entities and shows, live and exactly, how far they are."""

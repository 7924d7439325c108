"""`weft schema`: the GraphQL schema, as the code says it."""

from pathlib import Path

import click
from graphql import build_schema
from graphql.utilities import find_breaking_changes

from weft.domain.errors import StartupError
from weft.graphql.schema import WeftSchema

FILE = Path("schema.graphql")


@click.command()
@click.option(
    "--check", is_flag=True, help=f"Only compare with {FILE}; status 1, and what would break, when they differ."
)
@click.option("--write", is_flag=True, help=f"Write {FILE}.")
def schema(*, check: bool, write: bool) -> None:
    """Print the GraphQL schema."""
    text = f"{WeftSchema().as_str()}\n"
    if check:
        _compare(text)
    elif write:
        FILE.write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)


def _compare(text: str) -> None:
    if not FILE.exists():
        raise StartupError(f"There is no {FILE} in {Path.cwd()}. To write it: weft schema --write")
    known = FILE.read_text(encoding="utf-8")
    if known == text:
        return
    changes = find_breaking_changes(build_schema(known), build_schema(text))
    listed = "".join(f"\n  breaks clients: {change.description}" for change in changes)
    raise StartupError(f"{FILE} differs from the code. To write it anew: weft schema --write{listed}")

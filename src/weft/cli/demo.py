"""`weft demo`: workflows over real records and documents, with live progress in the terminal."""

import time
from pathlib import Path

import click

from weft.cli.demonstration.airports.records import read_airports
from weft.cli.demonstration.airports.story import AirportStory
from weft.cli.demonstration.invoices.paper import read_invoices, written_invoices
from weft.cli.demonstration.invoices.story import InvoiceStory
from weft.cli.demonstration.stage import play

MOST_RECORDS = 10_000_000
MOST_DOCUMENTS = 10_000
DOCUMENTS = 120


@click.group(invoke_without_command=True)
@click.option(
    "--scale",
    type=click.IntRange(1, MOST_RECORDS),
    help="Repeat the records up to this number, or take only so many. Left out: each once.",
)
@click.pass_context
def demo(context: click.Context, *, scale: int | None) -> None:
    """Run a workflow over real records, and watch it live."""
    if context.invoked_subcommand is None:
        started, airports = time.monotonic(), read_airports()
        play(lambda api, display: AirportStory(api, display, airports, scale or len(airports)).tell(), started)


@demo.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--count",
    type=click.IntRange(1, MOST_DOCUMENTS),
    default=DOCUMENTS,
    show_default=True,
    help="How many invoices to write, where no files are given.",
)
def invoices(*, files: tuple[Path, ...], count: int) -> None:
    """Read invoices, and store what they say: your own FILES, or some that are written for the demo as PDF."""
    started = time.monotonic()
    papers = read_invoices(files) if files else written_invoices(count)
    play(lambda api, display: InvoiceStory(api, display, papers).tell(), started)

"""The records of the demo, and how few become many."""

import csv
from collections.abc import AsyncGenerator, Iterator, Sequence
from importlib.util import find_spec
from itertools import count, islice
from pathlib import Path

from weft.domain.errors import StartupError
from weft.kit.json import dump_bytes

Record = dict[str, str]

_LINES_PER_PIECE = 500
"""About 80 kB: a piece of the upload, and all of it that is in memory."""


def read_airports() -> list[Record]:
    """As they were published: every field is text, and `NA` is what is not known."""
    # Found, not imported: the package imports pandas, which takes a second.
    spec = find_spec("vega_datasets")
    if spec is None or not spec.submodule_search_locations:
        raise StartupError("The demo needs the airports of the package vega-datasets: pip install 'weft[demo]'")
    path = Path(spec.submodule_search_locations[0], "_data", "airports.csv")
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise StartupError(f"The airports of vega-datasets cannot be read from {path}: {error.strerror}.") from error


def repeated(airports: Sequence[Record], scale: int) -> Iterator[Record]:
    """`scale` records, each with an `id` of its own: `JFK` at first, then `JFK-2`, `JFK-3`."""
    copies = ({"id": airport["iata"] + _copy(number), **airport} for number in count(1) for airport in airports)
    return islice(copies, scale)


def _copy(number: int) -> str:
    return "" if number == 1 else f"-{number}"


async def as_json_lines(records: Iterator[Record]) -> AsyncGenerator[bytes]:
    """The file of an import, made while it is sent."""
    while piece := b"".join(dump_bytes(record) + b"\n" for record in islice(records, _LINES_PER_PIECE)):
        yield piece

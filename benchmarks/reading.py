"""Reading: pages of 100 items with their steps, of a finished run of a million, over HTTP.

What is asked for is what a table of results shows: of each item its place, status and error, of each step its status,
duration, output and error. Deep pages begin at random places of the last tenth of the run, deep pages of failures in
the last tenth of the failures; their cursors are made, as walking there would take ten thousand pages. The four kinds of
page take turns. A sample ends with the last byte of the answer. Median and 99th percentile.
"""

import random
import time
from statistics import median

import orjson

from benchmarks.bench import Bench
from benchmarks.client import Client
from benchmarks.data import Dataset
from benchmarks.figure import Better, Figure
from benchmarks.percentile import percentile
from benchmarks.process import BenchmarkError
from weft.graphql.paging import encode_cursor

PAGE = 100
ITEMS = """query ($run: ID!, $after: String, $status: [ItemStatus!]) {
  run(id: $run) { items(first: 100, after: $after, status: $status) {
    pageInfo { hasNextPage endCursor }
    nodes { id ordinal status error { code message }
      steps { stepId status durationMs output error { code message } } } } } }"""
FAILED = ["FAILED"]
SAME = 1.25
"""The program says only "the same at every depth": this much is taken for noise."""


async def reading(bench: Bench) -> list[Figure]:
    run, many = await bench.run_of_many(), await bench.many()
    client, chance = bench.system.client, random.Random(1)
    took: dict[str, list[float]] = {"first page": [], "deep pages": [], "failures": [], "deep failures": []}
    warm_up = 1 + bench.sizes.pages // 20
    for number in range(warm_up + bench.sizes.pages):
        for kind, found in took.items():
            after = _place(kind, many, chance)
            milliseconds = await _page(client, run, after, FAILED if "failures" in kind else None)
            if number >= warm_up:
                found.append(milliseconds)
    deepest = max(median(found) for found in took.values())
    return [
        *(_figure(kind, found) for kind, found in took.items()),
        Figure(
            name="Reading, slowest kind of the first page",
            measured=deepest,
            unit="ms",
            floor=median(took["first page"]),
            better=Better.LOWER,
            bar=SAME,
        ),
    ]


def _place(kind: str, many: Dataset, chance: random.Random) -> int | None:
    """The ordinal behind which the page begins, so that a whole page is there."""
    whole_pages = PAGE * many.size // max(1, many.failing) if "failures" in kind else PAGE
    if "deep" not in kind:
        return None
    return chance.randrange(many.size * 9 // 10 - whole_pages, many.size - whole_pages - 1)


async def _page(client: Client, run: str, after: int | None, status: list[str] | None) -> float:
    """Milliseconds."""
    cursor = None if after is None else encode_cursor(str(after))
    began = time.perf_counter()
    answer = await client.post(ITEMS, run=run, after=cursor, status=status)
    took = time.perf_counter() - began
    nodes = orjson.loads(answer)["data"]["run"]["items"]["nodes"]
    if len(nodes) != PAGE or nodes[0]["ordinal"] <= (-1 if after is None else after):
        raise BenchmarkError(f"A page of {len(nodes)} items came where {PAGE} were due, behind {after}.")
    return took * 1000


def _figure(kind: str, found: list[float]) -> Figure:
    return Figure(
        name=f"Reading, {kind}, p50",
        measured=median(found),
        unit="ms",
        better=Better.LOWER,
        bar=20,
        aim=8,
        details={"pages": len(found), "p99": round(percentile(found, 99), 2)},
    )

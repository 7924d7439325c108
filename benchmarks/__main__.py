"""`python -m benchmarks [figure …] [--quick]`: the table, then one JSON line per figure."""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import orjson

from benchmarks.bench import QUICK, Bench, Sizes
from benchmarks.events import events
from benchmarks.fairness import fairness
from benchmarks.figure import Figure
from benchmarks.growth import growth
from benchmarks.idle import idle
from benchmarks.importing import importing
from benchmarks.live import live
from benchmarks.machine import Machine
from benchmarks.models import models
from benchmarks.one_item import one_item
from benchmarks.parsing import parsing
from benchmarks.reading import reading
from benchmarks.store import store
from benchmarks.system import running_system
from benchmarks.table import rendered
from benchmarks.w1 import w1
from benchmarks.waiting import waiting
from benchmarks.webhooks import webhooks
from weft.embedded import ended_by_signals

# In this order: the figures of an idle system before the large ones have left anything to tidy up, and those that need
# the same large run one after the other.
FIGURES: Mapping[str, Callable[[Bench], Awaitable[list[Figure]]]] = {
    "idle": idle,
    "one-item": one_item,
    "w2": waiting,
    "ai": models,
    "w1": w1,
    "growth": growth,
    "fairness": fairness,
    "reading": reading,
    "import": importing,
    "store": store,
    "parse": parsing,
    "live": live,
    "webhooks": webhooks,
    "events": events,
}


async def measured(names: Sequence[str], sizes: Sizes) -> list[Figure]:
    figures: list[Figure] = []
    async with running_system() as system:
        bench = Bench(system, sizes)
        for name, measure in FIGURES.items():
            if name in names:
                before = Machine()
                found = await measure(bench)
                others = before.others_since_percent()
                seconds = time.perf_counter() - before.at
                print(
                    f"{name}: {seconds:.0f} s, {others:.0f} % of the machine was others'", file=sys.stderr, flush=True
                )
                details = {"othersPercent": round(others, 1)}
                figures += [replace(figure, details=figure.details | details) for figure in found]
    return figures


async def main(names: Sequence[str], sizes: Sizes) -> None:
    async with ended_by_signals():
        figures = await measured(names, sizes)
        print(rendered(figures), end="\n\n")
        for figure in figures:
            print(orjson.dumps(figure.as_json()).decode())
        return
    raise SystemExit("Stopped.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="The speed of Weft, figure by figure.")
    parser.add_argument("figures", nargs="*", metavar="figure", help=f"{', '.join(FIGURES)}; left out: all")
    parser.add_argument("--quick", action="store_true", help="small numbers, to see that it works")
    options = parser.parse_args()
    if unknown := [name for name in options.figures if name not in FIGURES]:
        parser.error(f"there is no figure {unknown[0]!r}: {', '.join(FIGURES)}")
    asyncio.run(main(options.figures or list(FIGURES), QUICK if options.quick else Sizes()))

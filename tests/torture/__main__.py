"""`make torture`: two minutes of everything that can go wrong, and then the account.

Real processes: workers, API processes, PostgreSQL and Valkey. A large run, a small one beside it every second, and twenty
watchers. Meanwhile, at moments that follow from the seed, workers and API processes are killed, workers are stopped for
longer than their lease, Valkey is killed, restarted and emptied, Postgres is restarted and crashed, and connections are
cut. Then it has to end by itself.

    faults      the plan: a pure function of the seed
    tormentor   carries it out, and keeps a diary
    runs        the workflows, and a client that starts runs until it is answered
    steps       the step types, which Weft finds as those of another package
    outside     what the steps write into another database, and a trigger that notes when results are recorded
    watchers    web pages that watch every run
    truth       what stands in Weft's tables at the end
    judging     whether a step ran again that must not; takeover: how long batches lay still
    findings    all of it together; report: for people

`make torture ARGS="--seed 123 --seconds 120 --items 50000"` does the same again: the same faults at the same moments. What
they meet is up to the machine. Ends with 1 when a promise was broken; the logs are kept then.
"""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from torture.faults import Scale
from torture.ordeal import Options, torture

from weft.embedded import remove_data_folder


def tell(line: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {line}\n")
    sys.stdout.flush()


def options() -> Options:
    parser = argparse.ArgumentParser(prog="make torture ARGS=…", description="Tortures Weft and checks its promises.")
    scale = Scale()
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="of the plan of faults")
    parser.add_argument("--seconds", type=float, default=scale.seconds, help="of faults; then it has a minute to end")
    parser.add_argument("--items", type=int, default=Options(0).items, help="of the large run")
    parser.add_argument("--lease", type=float, default=scale.lease_seconds, help="seconds")
    given = parser.parse_args()
    return Options(given.seed, given.items, scale=replace(scale, seconds=given.seconds, lease_seconds=given.lease))


def main() -> int:
    chosen, held = options(), False
    folder = Path(tempfile.mkdtemp(prefix=f"weft-torture-{chosen.seed}-"))
    tell(f"Seed {chosen.seed}")
    try:
        report = asyncio.run(torture(chosen, folder, tell))
        held = report.held
        (folder / "logs" / "report.txt").write_text(f"{report}\n")
        sys.stdout.write(f"{report}\n\n")
    finally:
        clear(folder, keep_logs=not held)
    tell(f"Seed {chosen.seed}: {'every promise was held' if held else 'a promise was broken'}")
    return 0 if held else 1


def clear(folder: Path, *, keep_logs: bool) -> None:
    services = folder / "data" / "services.log"
    if keep_logs and services.exists():
        shutil.copy(services, folder / "logs")
    remove_data_folder(folder / "data")
    if keep_logs:
        tell(f"The logs are in {folder / 'logs'}")
    else:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())

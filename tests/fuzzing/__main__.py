"""`make fuzz`: ten minutes of everything that strangers may send, and then the account.

Real processes: PostgreSQL, Valkey, an API and two workers. Operations are made over the schema, with ids and texts that stood
in earlier answers, so that they reach deep; every fifth has something broken in it, and some requests are none at all. They
come by POST, by GET, as event streams and over websockets, with keys of every role, wrong ones and none.

    pool        what is known of the server: ids, texts, and what a first user would type
    values      values for arguments; literals: how GraphQL writes them
    operations  operations over the schema
    breaking    requests with something wrong in them
    ways        how they are sent
    judging     what holds for every answer
    campaign    all of it together

It fails on a status of 500, an error that is not masked or has no request id, a process that is gone, a fault in a log, and an
API that grows and grows. `make fuzz ARGS="--seed 123 --seconds 60"` makes the same choices again, though answers, and so the
ids that are asked with, are up to the machine.
"""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from fuzzing.campaign import fuzz

from weft.embedded import remove_data_folder


def tell(line: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make fuzz ARGS=…", description="Sends Weft everything that strangers may send."
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="of what is sent")
    parser.add_argument("--seconds", type=float, default=600)
    given = parser.parse_args()
    tell(f"Seed {given.seed}")
    folder = Path(tempfile.mkdtemp(prefix=f"weft-fuzz-{given.seed}-"))
    try:
        report = asyncio.run(fuzz(given.seed, given.seconds, folder, tell))
    finally:
        remove_data_folder(folder / "data")
    sys.stdout.write(f"{report}\n\n")
    if report.findings:
        tell(f"Seed {given.seed}: {len(report.findings)} findings. The logs are in {folder / 'logs'}")
        return 1
    shutil.rmtree(folder)
    tell(f"Seed {given.seed}: nothing was found")
    return 0


if __name__ == "__main__":
    sys.exit(main())

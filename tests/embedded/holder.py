"""Runs the services of a folder, with one child beside them, and prints the pids: `holder.py <folder> [uid]`."""

import asyncio
import json
import os
import sys
from pathlib import Path

from weft.embedded import Child, Children, EmbeddedServices, ended_by_signals

CHILD = Child("sleeper", ("/bin/sleep", "300"))


async def main(folder: Path) -> None:
    async with ended_by_signals(), EmbeddedServices(folder) as services, Children([CHILD]) as children:
        print(json.dumps(services.pids | children.pids), flush=True)  # noqa: T201 - the test reads it
        await children.wait()


if __name__ == "__main__":
    if len(sys.argv) > 2:  # after the imports: the interpreter may lie where that user cannot read
        os.setgroups([])
        os.setgid(int(sys.argv[2]))
        os.setuid(int(sys.argv[2]))
    asyncio.run(main(Path(sys.argv[1])))

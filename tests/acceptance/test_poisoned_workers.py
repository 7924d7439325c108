"""Workers that their work kills are started again for as long as it takes; `weft up` does not give them up."""

import asyncio
from pathlib import Path

import pytest

from weft.embedded import Child, Children

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(30)]


async def test_a_worker_that_is_killed_again_and_again_is_not_given_up(tmp_path: Path) -> None:
    log = tmp_path / "log"
    deaths = {"crashes": "kill -SEGV $$", "stalls": "exit 70"}
    workers = [Child(name, ("/bin/sh", "-c", f"ulimit -c 0; {death}")) for name, death in deaths.items()]
    async with Children(workers, log=log) as children:
        waiting = asyncio.create_task(children.wait())
        async with asyncio.timeout(20):
            while log.read_text().count("starting it again in 3.2 s") < len(workers):
                await asyncio.sleep(0.05)
        assert not waiting.done()
        waiting.cancel()

"""Several duties at once, as one."""

import asyncio
from collections.abc import Coroutine


async def together(*duties: Coroutine[None, None, None]) -> None:
    """Runs them until all have returned; the first that fails ends the others, and its own error is raised.

    Not a TaskGroup: the one of Python 3.11.2, which Debian 12 has, can leave a cancellation behind in the task that
    waited for it, and that task then ends at its next await.
    """
    tasks = [asyncio.ensure_future(duty) for duty in duties]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

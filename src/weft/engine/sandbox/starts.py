"""When a sandbox may be started, after starts that failed."""

import asyncio
import time
from datetime import timedelta

import structlog

from weft.domain.step import Retry

log = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
LONGEST_WAIT_SECONDS = 3.0
"""That calls wait for the next start. One process that is killed while it starts must not fail all that come meanwhile."""
STARTS_PER_CALL = 3


class SandboxStarts:
    """After a start that failed, the next is tried only after a pause: a broken installation must not keep the machine busy."""

    def __init__(self) -> None:
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._not_before = 0.0
        self._reason = ""

    async def wait_out_the_pause(self) -> None:
        """Waits out a short pause; raises `Retry` within a long one."""
        while (left := self._not_before - time.monotonic()) > 0:
            if left > LONGEST_WAIT_SECONDS:
                raise self._refusal(left)
            await asyncio.sleep(left)

    def failed(self, reason: str) -> Retry:
        pause = self._pause_seconds
        self._pause_seconds = min(2 * pause, LONGEST_PAUSE_SECONDS)
        self._not_before = time.monotonic() + pause
        self._reason = reason
        log.error("The process for heavy steps cannot start", reason=reason, next_try_in_seconds=pause)
        return self._refusal(pause)

    def succeeded(self) -> None:
        self._pause_seconds = FIRST_PAUSE_SECONDS

    def _refusal(self, left: float) -> Retry:
        reason = f"The process for heavy steps cannot start: {self._reason}"
        return Retry(reason, code="STEP_PROCESS_FAILED", after=timedelta(seconds=left))

"""When a sandbox may be started, after starts that failed."""

import time
from datetime import timedelta

import structlog

from weft.domain.step import Retry

log = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0


class SandboxStarts:
    """After a start that failed, the next is tried only after a pause: a broken installation must not keep the machine busy."""

    def __init__(self) -> None:
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._not_before = 0.0
        self._reason = ""

    def refuse_in_a_pause(self) -> None:
        if (left := self._not_before - time.monotonic()) > 0:
            raise self._refusal(left)

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

"""What a step is handed while it serves one item."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from weft.domain.ids import UUID
from weft.domain.outside import Outside
from weft.domain.run import LogLevel
from weft.domain.step import StepContext
from weft.engine.run_log import BatchLog


@dataclass(frozen=True, slots=True)
class BatchTools:
    """What the steps of one batch share."""

    run_id: UUID
    outside: Outside
    log: BatchLog
    run_key: str = field(init=False)
    """The run's id, written out once."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "run_key", str(self.run_id))


class ItemContext(StepContext):
    __slots__ = ("_ordinal", "_tools", "attempt", "step_id", "values")

    def __init__(
        self, tools: BatchTools, ordinal: int, values: Mapping[str, Any], step_id: str = "", attempt: int = 1
    ) -> None:
        self._tools = tools
        self._ordinal = ordinal
        self.values = values
        self.step_id = step_id
        self.attempt = attempt

    @property
    def idempotency_key(self) -> str:
        return f"{self._tools.run_key}:{self._ordinal}:{self.step_id}"

    @property
    def outside(self) -> Outside:
        return self._tools.outside

    def log(self, level: LogLevel, message: str, /, **fields: Any) -> None:
        self._tools.log.say(self._ordinal, self.step_id, level, message, fields)

    def leave_out(self, lines: int) -> None:
        """Lines of the log that a step said where its bounds were passed already."""
        self._tools.log.leave_out(self._ordinal, lines)


class SteadyClock:
    """Microseconds since the Unix epoch that never go back, even when the machine's clock is set."""

    __slots__ = ("_offset_ns",)

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.perf_counter_ns()

    def now_us(self) -> int:
        return (time.perf_counter_ns() + self._offset_ns) // 1000

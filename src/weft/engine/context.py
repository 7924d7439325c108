"""What a step is handed while it serves one item."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from weft.domain.ids import UUID, new_id
from weft.domain.outside import Outside
from weft.domain.run import LogLevel
from weft.domain.step import StepContext
from weft.kit.json import dumps
from weft.kit.storable import storable

LOG_MESSAGE_LENGTH = 10_000

LogRow = tuple[UUID, UUID, int, str, str, str, str, datetime]
"""In the order of `weft.storage.results.LOG_COLUMNS`."""


@dataclass(frozen=True, slots=True)
class RunTools:
    """What the steps of one run share in this worker."""

    run_id: UUID
    outside: Outside
    add_log: Callable[[LogRow], None]
    run_key: str = field(init=False)
    """The run's id, written out once."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "run_key", str(self.run_id))


class ItemContext(StepContext):
    __slots__ = ("_ordinal", "_tools", "attempt", "step_id", "values")

    def __init__(
        self, tools: RunTools, ordinal: int, values: Mapping[str, Any], step_id: str = "", attempt: int = 1
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

    def log(self, level: LogLevel, message: str, **fields: Any) -> None:
        text = storable(message[:LOG_MESSAGE_LENGTH])
        self._tools.add_log(
            (
                new_id(),
                self._tools.run_id,
                self._ordinal,
                self.step_id,
                level.value,
                text,
                dumps(fields),
                datetime.now(UTC),
            )
        )


class SteadyClock:
    """Microseconds since the Unix epoch that never go back, even when the machine's clock is set."""

    __slots__ = ("_offset_ns",)

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.perf_counter_ns()

    def now_us(self) -> int:
        return (time.perf_counter_ns() + self._offset_ns) // 1000

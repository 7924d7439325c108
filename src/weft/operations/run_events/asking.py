"""What of a run's events a watcher wants."""

from dataclasses import dataclass
from enum import StrEnum

from weft.domain.errors import Invalid
from weft.domain.run import ItemStatus, LogLevel, StepStatus
from weft.engine.step_graph import StepGraph
from weft.kit.suggest import did_you_mean
from weft.operations.items import FINISHED

FINISHED_STEPS = frozenset({StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.SKIPPED})


class RunEventKind(StrEnum):
    """What of a run its watcher is told.

    STATUS: The run has another status.
    ITEMS: An item is finished.
    STEPS: What each step did for an item that is finished, told before the item.
    LOGS: A line of the run's log.
    """

    STATUS = "STATUS"
    ITEMS = "ITEMS"
    STEPS = "STEPS"
    LOGS = "LOGS"


@dataclass(frozen=True, slots=True)
class Asked:
    """All that are given must hold, each for the kinds that it is about."""

    kinds: frozenset[RunEventKind] = frozenset({RunEventKind.STATUS, RunEventKind.ITEMS})
    item_statuses: frozenset[ItemStatus] | None = None
    """Of items, and of the items that steps belong to."""
    step_statuses: frozenset[StepStatus] | None = None
    step_id: str | None = None
    """Of steps and of lines."""
    log_level: LogLevel = LogLevel.DEBUG
    """Of lines: this one and those above it."""

    @property
    def reads_items(self) -> bool:
        return bool(self.kinds & {RunEventKind.ITEMS, RunEventKind.STEPS})

    @property
    def statuses(self) -> frozenset[ItemStatus]:
        """Of the items that are told, or whose steps are."""
        return FINISHED if self.item_statuses is None else self.item_statuses

    @property
    def levels(self) -> list[LogLevel]:
        return list(LogLevel)[list(LogLevel).index(self.log_level) :]

    def wants_step(self, step_id: str, status: StepStatus) -> bool:
        statuses = FINISHED_STEPS if self.step_statuses is None else self.step_statuses
        return status in statuses and self.step_id in {None, step_id}


EVERYTHING = Asked(frozenset(RunEventKind))


def check(asked: Asked, graph: StepGraph) -> None:
    """Raises Invalid where something is asked for that is never told."""
    if not asked.kinds:
        raise Invalid("This asks for no event at all.", path=("include",), hint="Leave it out, or name a kind.")
    if never := sorted((asked.item_statuses or FINISHED) - FINISHED):
        raise _never("itemStatus", f"items that are {never[0]}")
    if never := sorted((asked.step_statuses or FINISHED_STEPS) - FINISHED_STEPS):
        raise _never("stepStatus", f"steps that are {never[0]}")
    known = [step.id for step in graph.definition.steps]
    if asked.step_id is not None and asked.step_id not in known:
        meant = did_you_mean(asked.step_id, known)
        raise Invalid(
            f"The workflow of this run has no step {asked.step_id!r}.",
            path=("filter", "stepId"),
            hint=None if meant is None else f'Did you mean "{meant}"?',
        )


def _never(field: str, what: str) -> Invalid:
    return Invalid(f"There are no events of {what}.", path=("filter", field), hint="Name COMPLETED, FAILED or SKIPPED.")

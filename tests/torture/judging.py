"""Whether a step ran again although its result was recorded. Pure.

A call of a step is one attempt for one item. It is settled once Weft has committed a record of that attempt, or of a
later one: a checkpoint or the item's result, a completed step, a failed one, or one that is to be tried again.

    again      The call began after a record that settles it was committed. This is what must never be.
    overtaken  The same, but its worker was stopped (SIGSTOP) before that commit, and went on less than `DECIDED_WITHIN`
               before the call began: it had decided on the call before it was stopped, and finished what it had begun.
    repeated   The call began before any record that settles it, and another call of the same attempt had begun before:
               the effect came twice, inside the window that a crash leaves open. Allowed, and counted.

A call begins when the first line of the step runs; a record is committed when Postgres says so
(`track_commit_timestamp`). Both read the clock of one machine.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

DECIDED_WITHIN = 1.0
"""Seconds. A worker that goes on begins what it had decided on at once, and looks at its leases before anything else."""


class Call(NamedTuple):
    key: str
    """Of the item and the step: `run:ordinal:step`."""
    attempt: int
    pid: int
    began: float
    """Seconds since the Unix epoch, like all times here."""


class Recorded(NamedTuple):
    run_id: str
    ordinal: int
    step_id: str
    attempt: int
    committed: float

    @property
    def key(self) -> str:
        return f"{self.run_id}:{self.ordinal}:{self.step_id}"


@dataclass(frozen=True, slots=True)
class Standstill:
    """A worker between SIGSTOP and SIGCONT."""

    pid: int
    stopped: float
    went_on: float


@dataclass(slots=True)
class Verdict:
    calls: int = 0
    again: list[Call] = field(default_factory=list[Call])
    overtaken: list[Call] = field(default_factory=list[Call])
    repeated: list[Call] = field(default_factory=list[Call])


def judge(calls: Sequence[Call], records: Iterable[Recorded], standstills: Sequence[Standstill]) -> Verdict:
    settled = defaultdict[str, list[tuple[int, float]]](list)
    for record in records:
        settled[record.key].append((record.attempt, record.committed))
    seen = set[tuple[str, int]]()
    verdict = Verdict(calls=len(calls))
    for call in sorted(calls, key=lambda call: call.began):
        commits = [committed for attempt, committed in settled.get(call.key, ()) if attempt >= call.attempt]
        committed = min(commits, default=float("inf"))
        if committed < call.began:
            stood_still = any(_decided_before(call, committed, standstill) for standstill in standstills)
            (verdict.overtaken if stood_still else verdict.again).append(call)
        elif (call.key, call.attempt) in seen:
            verdict.repeated.append(call)
        seen.add((call.key, call.attempt))
    return verdict


def _decided_before(call: Call, committed: float, standstill: Standstill) -> bool:
    return (
        call.pid == standstill.pid
        and standstill.stopped <= committed
        and standstill.went_on <= call.began <= standstill.went_on + DECIDED_WITHIN
    )

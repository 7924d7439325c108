"""From the evidence to the report. Pure.

How long a small run may take. It has ten items and takes half a second undisturbed. Time in which Postgres did not
answer is left out, from the signal until it answers again. Each worker that was killed or stopped while the run was under
way may have held it: the lease has to run out, and the next worker to look around. So `SMALL_SECONDS`, and the lease and
`TAKEOVER_SECONDS` for each such worker; on a machine of its own (`machine` tells what is added on one that is shared).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from torture.faults import Fault, Kind
from torture.judging import Call, Recorded, judge
from torture.report import Promise, Report
from torture.takeover import takeovers
from torture.tormentor import Diary
from torture.truth import RunTruth, Truth
from torture.watchers import Watcher

from weft.domain.ids import UUID
from weft.graphql.nodes import encode_id

SMALL_SECONDS = 5.0
TAKEOVER_SECONDS = 2.0
MOST = 6


@dataclass(frozen=True, slots=True)
class Evidence:
    """Times in seconds since the Unix epoch."""

    began: float
    last_fault: float
    ended: float
    """When every watcher had seen the end of every run, or nobody waited any longer."""
    ends_within: float
    stretch: float
    """What the time limits are multiplied by, since others used the machine too."""
    lease_seconds: float
    runs_asked: int
    runs_answered: int
    longest_answer: float
    refused: Counter[str]
    """Why starting a run was not answered at once."""
    diary: Diary
    watchers: Sequence[Watcher]
    truth: Truth
    calls: Sequence[Call]
    payments: Sequence[str]
    records: Sequence[Recorded]


def report(evidence: Evidence) -> Report:
    promises = [
        _ended(evidence),
        _accepted(evidence),
        _results(evidence.truth),
        _counters(evidence.truth),
        _paid_once(evidence),
        _nothing_again(evidence),
        _small_runs(evidence),
        _watched(evidence),
        _lived(evidence),
    ]
    return Report(promises, _figures(evidence))


def _ended(evidence: Evidence) -> Promise:
    took = evidence.ended - evidence.last_fault
    open_runs = [run.run_id for run in evidence.truth.runs if run.finished is None]
    return Promise(
        "It ended by itself within a minute after the last fault",
        f"{took:.1f} s after it, allowed {evidence.ends_within:.0f} s",
        [f"run {run} has not ended" for run in open_runs]
        or ([f"after {took:.1f} s"] if took > evidence.ends_within else []),
    )


def _accepted(evidence: Evidence) -> Promise:
    asked, answered, found = evidence.runs_asked, evidence.runs_answered, len(evidence.truth.runs)
    return Promise(
        "Every run that was accepted is there, once",
        f"{found} runs; the longest wait for an answer {evidence.longest_answer:.1f} s",
        [] if asked == answered == found else [f"{asked} were asked for, {answered} answered, and {found} are there"],
    )


def _results(truth: Truth) -> Promise:
    left = [f"{truth.checkpoints_left} checkpoints are left"] if truth.checkpoints_left else []
    return Promise(
        "Every item has exactly one result",
        f"{truth.items:,} items in {len(truth.runs)} runs",
        [*_all(run.wrong_results() for run in truth.runs), *left],
    )


def _counters(truth: Truth) -> Promise:
    return Promise(
        "The counters of runs and steps equal the results",
        f"{sum(len(run.steps_found) for run in truth.runs):,} counters of steps",
        _all(run.wrong_counters() for run in truth.runs),
    )


def _paid_once(evidence: Evidence) -> Promise:
    expected, paid = Counter(_all(run.keys for run in evidence.truth.runs)), Counter(evidence.payments)
    return Promise(
        "The table outside has the row of each item once",
        f"{len(evidence.payments):,} rows",
        [
            *(f"{key} is missing" for key in expected - paid),
            *(f"{key} is there, and nobody asked for it" for key in paid - expected),
        ],
    )


def _nothing_again(evidence: Evidence) -> Promise:
    verdict = judge(evidence.calls, evidence.records, evidence.diary.standstills)
    paid_again = sum(call.key.endswith(":pay") for call in verdict.repeated)
    return Promise(
        "No step ran again after its result was recorded",
        f"{verdict.calls:,} calls; {len(verdict.repeated)} repeated before their record, {paid_again} of them payments; "
        f"{len(verdict.overtaken)} begun before a standstill",
        [f"{call.key}, attempt {call.attempt}, by process {call.pid} at {call.began:.3f}" for call in verdict.again],
    )


def _small_runs(evidence: Evidence) -> Promise:
    small = [run for run in evidence.truth.small if run.finished is not None]
    net = {run.run_id: _undisturbed(run, evidence) for run in small}
    slow = [run for run in small if net[run.run_id] > _allowed(run, evidence)]
    return Promise(
        "Every small run ended within seconds",
        f"median {median(net.values()):.2f} s, longest {max(net.values()):.2f} s, outages of Postgres left out"
        if net
        else "none ended",
        [
            f"run {run.run_id} took {net[run.run_id]:.1f} s, allowed {_allowed(run, evidence):.1f} s, "
            f"begun {run.created - evidence.began:.1f} s after the beginning"
            for run in slow
        ],
    )


def _undisturbed(run: RunTruth, evidence: Evidence) -> float:
    end = run.finished or evidence.ended
    away = sum(max(0.0, min(end, out.ended) - max(run.created, out.began)) for out in evidence.diary.outages)
    return end - run.created - away


def _allowed(run: RunTruth, evidence: Evidence) -> float:
    end = run.finished or evidence.ended
    lost = sum(
        fault.kind in {Kind.KILL_WORKER, Kind.STOP_WORKER} and run.created - fault.seconds <= at <= end
        for at, fault in evidence.diary.done
    )
    return evidence.stretch * (SMALL_SECONDS + lost * (evidence.lease_seconds + TAKEOVER_SECONDS))


def _watched(evidence: Evidence) -> Promise:
    missed = [
        f"watcher {number} has not seen the end of run {run}"
        for number, watcher in enumerate(evidence.watchers)
        for run in watcher.open
    ]
    finished = {_outer_id(run): run for run in evidence.truth.runs}
    others = [
        f"watcher {number} saw the end {seen.newest} of run {run}"
        for number, watcher in enumerate(evidence.watchers)
        for run, seen in watcher.runs.items()
        if seen.ended is not None and not _agrees(seen.newest, finished.get(run))
    ]
    states = sum(watcher.states for watcher in evidence.watchers)
    connections = sum(watcher.connections for watcher in evidence.watchers)
    return Promise(
        "Every watcher saw only rising revisions, and every terminal state",
        f"{len(evidence.watchers)} watchers, {connections} connections, {states:,} states",
        [*_all(watcher.wrong for watcher in evidence.watchers), *missed, *others],
    )


def _agrees(seen: dict[str, object], run: RunTruth | None) -> bool:
    if run is None:
        return False
    counted = {name.upper(): seen[name] for name in ("completed", "failed", "skipped", "cancelled") if seen[name]}
    return counted == dict(run.counted) and seen["status"] == run.status


def _outer_id(run: RunTruth) -> str:
    """As watchers know it."""
    return encode_id("Run", UUID(run.run_id))


def _lived(evidence: Evidence) -> Promise:
    return Promise(
        "No process ended by itself",
        f"{len(evidence.diary.done)} faults outlived",
        evidence.diary.ended_by_themselves,
    )


def _figures(evidence: Evidence) -> dict[str, str]:
    diary = evidence.diary
    taken = [seconds for batches in takeovers(diary.killings, evidence.records) for seconds in batches]
    large = max(evidence.truth.runs, key=lambda run: run.total)
    ends = "not at all" if large.finished is None else f"{large.finished - evidence.began:.1f} s after the beginning"
    finished = {_outer_id(run): run.finished for run in evidence.truth.runs}
    lags = [
        seen.ended - max(at, seen.added)
        for watcher in evidence.watchers
        for run, seen in watcher.runs.items()
        if seen.ended is not None and (at := finished.get(run)) is not None
    ]
    return {
        "Faults": f"{len(diary.done)}, {len(diary.in_vain)} of them in vain ({_by_kind(fault for _, fault in diary.done)})",
        "The machine": f"time limits are multiplied by {evidence.stretch:.1f}, by what others took of it",
        "Large run": f"ended {ends}",
        "Outages of Postgres": f"{len(diary.outages)}, {sum(out.ended - out.began for out in diary.outages):.1f} s together",
        "Taken over": f"{evidence.truth.claimed_again} batches were claimed again, "
        f"{len(taken)} of them held by a worker when it was killed",
        "Takeover": f"median {median(taken):.1f} s, longest {max(taken):.1f} s from the kill to the next record of a batch; "
        f"the lease is {evidence.lease_seconds:g} s"
        if taken
        else "none",
        "Terminal states": f"reached a watcher after {median(lags):.3f} s at the median, {max(lags):.1f} s at the latest, absence of its API process included"
        if lags
        else "none",
        "Refused subscriptions": _most(Counter(_all(watcher.refusals for watcher in evidence.watchers))),
        "Refused starts": _most(evidence.refused),
    }


def _most(reasons: Counter[str]) -> str:
    """How many, and the most frequent of them."""
    named = "".join(f"\n      {count} times {reason}" for reason, count in reasons.most_common(MOST))
    return f"{reasons.total()}{named}"


def _by_kind(faults: Iterable[Fault]) -> str:
    counted = Counter(fault.kind for fault in faults)
    return ", ".join(f"{kind}: {count}" for kind, count in counted.items())


def _all(lists: Iterable[Sequence[str]]) -> list[str]:
    return [found for each in lists for found in each]

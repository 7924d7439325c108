"""What may happen to runs, as rules for Hypothesis: the same on the model alone and on Postgres beside it.

Every rule takes its step in the model and, where there is one, in the counterpart; then what both show is compared and
the promises are checked. Arguments are numbers that are taken as places in what there is at that moment, so that a
shorter history is still a meaningful one.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from statemachine.callers import FINISHER, WORKERS, CallerRules, places
from statemachine.counterpart import Fault
from statemachine.records import LEASE, Ended, Held
from statemachine.views import ClaimView, run_view
from statemachine.way import Deed

READY_AT_ONCE = 0


class Leaving(StrEnum):
    """What a worker does when steps have answered."""

    NOT = "NOT"
    FLUSH = "FLUSH"
    FLUSH_WITH_A_BREAK = "FLUSH_WITH_A_BREAK"
    """The commit goes through, and its answer is lost."""
    END_BATCH = "END_BATCH"
    CRASH = "CRASH"


workers = st.sampled_from(WORKERS)
leavings = st.sampled_from(
    [*[Leaving.NOT, Leaving.FLUSH, Leaving.END_BATCH] * 2, Leaving.FLUSH_WITH_A_BREAK, Leaving.CRASH]
)
likely = [Deed.COMPLETE, Deed.COMPLETE_ALL, Deed.PUBLISH, Deed.FAIL_AT_END]
deeds = st.lists(st.sampled_from([*likely * 2, *Deed]), min_size=2, max_size=7)
faults = st.sampled_from([None, None, None, *Fault])


@dataclass(frozen=True, slots=True)
class Turn:
    """What a worker mostly does, at once: claim where it holds nothing, let steps answer, and store that."""

    worker: str
    choice: int
    deeds: list[Deed]
    leaving: Leaving


turns = st.lists(st.builds(Turn, workers, places, deeds, leavings), min_size=1, max_size=4)


class RunsMachine(CallerRules):
    @rule(worker=workers, choice=places)
    def claim(self, worker: str, choice: int) -> None:
        self._claim(worker, choice)
        self._compare()

    @rule(turns=turns)
    def take_turns(self, turns: list[Turn]) -> None:
        for turn in turns:
            mine = list(self.model.workers[turn.worker].values())
            held = mine[turn.choice % len(mine)] if mine else self._claim(turn.worker, turn.choice)
            if held is not None:
                self._work(turn.worker, held, turn.deeds)
                self._leave(turn.worker, held, turn.leaving)
        self._compare()

    @precondition(lambda self: self._held())
    @rule(at=places, late_deeds=deeds, worker=workers, claims=st.integers(1, 4), deeds=deeds, leaving=leavings)
    def take_over(
        self, at: int, late_deeds: list[Deed], worker: str, claims: int, deeds: list[Deed], leaving: Leaving
    ) -> None:
        """A worker stands still until all leases have run out, and another claims; then the first stores what it had.

        The other may be the same one: where the clock of Postgres jumps, a worker claims its own batches.
        """
        late, batch = self._at(at)
        self._work(late, batch, late_deeds)
        self._jump(LEASE + 1)
        for _ in range(claims):
            held = self._claim(worker, 0)
            if held is not None:
                self._work(worker, held, deeds)
                self._leave(worker, held, leaving)
        if batch.lease in self.model.workers[late]:
            self._flush(late, batch.run, None, None)
        self._compare()

    @precondition(lambda self: self._held())
    @rule(at=places, deeds=deeds, verb=st.sampled_from(["pause", "cancel"]), renews=st.booleans())
    def change_under_way(self, at: int, deeds: list[Deed], verb: str, renews: bool) -> None:
        """A run is paused or cancelled while steps are under way; then its worker stores what they answered."""
        worker, held = self._at(at)
        self._work(worker, held, deeds)
        self.change(held.run, verb)
        if renews:
            self._renew(worker)
        self._flush(worker, held.run, None, None)
        self._compare()

    def _leave(self, worker: str, held: Held, leaving: Leaving) -> None:
        match leaving:
            case Leaving.NOT:
                pass
            case Leaving.FLUSH:
                self._flush(worker, held.run, None, None)
            case Leaving.FLUSH_WITH_A_BREAK:
                self._flush(worker, held.run, None, Fault.BEHIND_THE_COMMIT)
            case Leaving.END_BATCH:
                self._flush(worker, held.run, Ended(held.lease, READY_AT_ONCE), None)
            case Leaving.CRASH:
                self._crash(worker)

    def _claim(self, worker: str, choice: int) -> Held | None:
        legal = self.model.claimable()
        seen = None if self.counterpart is None else self.counterpart.claim(worker)
        if self.counterpart is None:
            chosen = legal[choice % len(legal)] if legal else None
        else:
            chosen = None if seen is None else (seen.run, seen.number)
            assert chosen in legal or (chosen is None and not legal), f"{chosen} was claimed; legal is {legal}"
        if chosen is None:
            return None
        held = self.model.claim(worker, *chosen)
        wanted = ClaimView.of(held)
        assert seen is None or seen == wanted, f"handed out: {seen}; the model says {wanted}"
        self.promises.check_claim(self.model, held)
        self.met["claim of items with checkpoints"] += any(way.records for way in held.ways.values())
        return held

    @precondition(lambda self: self._held())
    @rule(at=places)
    def renew(self, at: int) -> None:
        self._renew(self._at(at)[0])
        self._compare()

    def _renew(self, worker: str) -> None:
        still = self.model.renew(worker)
        if self.counterpart is not None:
            seen = self.counterpart.renew(worker)
            assert seen == still, f"{worker} renewed {seen}; the model says {still}"

    @precondition(lambda self: self._held())
    @rule(at=places, deeds=deeds)
    def work(self, at: int, deeds: list[Deed]) -> None:
        """Some or all items of a held batch go on by a step, in memory: the first ones, in order."""
        self._work(*self._at(at), deeds)
        self._compare_workers()

    def _work(self, worker: str, held: Held, deeds: Sequence[Deed]) -> None:
        for ordinal, deed in zip(list(held.ways), deeds, strict=False):
            self._answers += 1
            done = self._possible(worker, held, deed)
            if self.counterpart is not None:
                self.counterpart.answer(worker, held, ordinal, done, self._answers)
            self.model.answer(held, ordinal, done, self._answers)

    def _possible(self, worker: str, held: Held, deed: Deed) -> Deed:
        """Which part of a refused flush comes first is not promised, so nothing may depend on it."""
        mine = [other for other in self.model.workers[worker].values() if other.run == held.run]
        gathered = [result for other in mine for result in other.finished]
        if deed is Deed.SPOIL and any(result.stops_run for result in gathered):
            return Deed.FAIL
        if deed is Deed.STOP_RUN and any(result.is_refused for result in gathered):
            return Deed.FAIL
        return deed

    @precondition(lambda self: self._held())
    @rule(at=places, fault=faults)
    def flush(self, at: int, fault: Fault | None) -> None:
        """Store what gathered. With a `fault`, the connection breaks around the commit and the worker tries again."""
        worker, batch = self._at(at)
        self._flush(worker, batch.run, None, fault)
        self._compare()

    @precondition(lambda self: self._held())
    @rule(at=places, ready_in=st.sampled_from([READY_AT_ONCE, READY_AT_ONCE, 1, LEASE + 1]))
    def end_batch(self, at: int, ready_in: int) -> None:
        """The batch leaves its worker: done, or given back where items of it are open."""
        worker, batch = self._at(at)
        self._flush(worker, batch.run, Ended(batch.lease, ready_in), None)
        self._compare()

    def _flush(self, worker: str, run: int, ended: Ended | None, fault: Fault | None) -> None:
        mine = [held for held in self.model.workers[worker].values() if held.run == run]
        if not mine:
            return
        is_late = not any(self.model.has(held.lease) for held in mine)
        stored = run_view(self.model, self.model.runs[run])
        if any(held.finished and not self.model.has(held.lease) for held in mine):
            over = self.model.runs[run].is_over
            self.met["write behind the end of a run" if over else "write behind a takeover"] += 1
        if any(result.is_refused for held in mine for result in held.finished):
            self.met["refused write"] += 1
        self.model.flush(worker, run, ended)
        if self.counterpart is not None:
            self.counterpart.flush(worker, run, ended, fault)
        assert not is_late or run_view(self.model, self.model.runs[run]) == stored, "a lost token wrote something"

    def _at(self, place: int) -> tuple[str, Held]:
        held = self._held()
        return held[place % len(held)]

    def _held(self) -> list[tuple[str, Held]]:
        return [(worker, held) for worker, mine in self.model.workers.items() for held in mine.values()]

    @precondition(lambda self: self._held())
    @rule(at=places)
    def crash(self, at: int) -> None:
        """A worker is gone without a word, with all that it knew."""
        self._crash(self._at(at)[0])
        self._compare_workers()

    def _crash(self, worker: str) -> None:
        self.model.crash(worker)
        if self.counterpart is not None:
            self.counterpart.crash(worker)

    def teardown(self) -> None:
        if sys.exc_info()[0] is None:  # otherwise a rule failed, and that is to be told
            self._drain()

    def _drain(self) -> None:
        """Nothing fails for good any more: every run ends."""
        for run in self.model.runs:
            self.met[f"{run.status} run"] += 1
            if run.status == "PAUSED":
                self.change(run.index, "resume")
        # Each round ends a batch, or lets a tick pass until the last batch is ready.
        ready_at = [batch.ready_at for run in self.model.runs for batch in run.batches]
        for _ in range(len(ready_at) + max([0, *(at - self.model.now for at in ready_at)]) + 1):
            held = self._claim(FINISHER, 0)
            if held is not None:
                self._work(FINISHER, held, [Deed.COMPLETE_ALL] * len(held.ways))
                self._flush(FINISHER, held.run, Ended(held.lease, READY_AT_ONCE), None)
            elif all(run.is_over for run in self.model.runs):
                break
            else:
                self._jump(1)
        self._compare()
        assert all(run.is_over for run in self.model.runs), "a run does not end"

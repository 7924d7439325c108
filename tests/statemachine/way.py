"""One item's way in the model: what its steps answer, what of that is recorded, and how the item ends by it.

Written from the promises alone (`DESIGN.md` §2 and §4, `weft.engine`): nothing here is taken from the product.
"""

from dataclasses import dataclass, field
from enum import StrEnum

STEPS: dict[str, tuple[str, ...]] = {"ask": (), "look": (), "write": ("ask", "look")}
"""Every step of the workflow with what it depends on: two roots, so that one may be decided while the other is open."""

LAST_STEP = "write"


class Deed(StrEnum):
    """What the next step of an item answers."""

    COMPLETE = "COMPLETE"
    COMPLETE_ALL = "COMPLETE_ALL"
    """And so do all steps that follow: the item ends."""
    PUBLISH = "PUBLISH"
    """Complete, and write its output into the entity."""
    SKIP = "SKIP"
    SKIP_ALL = "SKIP_ALL"
    """And so do all steps that follow: the item ends."""
    TRY_AGAIN = "TRY_AGAIN"
    FAIL = "FAIL"
    FAIL_AT_END = "FAIL_AT_END"
    """The steps before the last complete, and the last one fails."""
    STOP_RUN = "STOP_RUN"
    """Fail, and the whole run with it."""
    SPOIL = "SPOIL"
    """Fail in words that Postgres refuses: the item's row cannot be stored."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is stored of one step: its status by the letters of `weft.storage.step_codec`."""

    status: str
    output: int | None = None
    attempts: int = 1

    @property
    def is_decided(self) -> bool:
        return self.status != "P"


Records = dict[str, Record]


@dataclass(frozen=True, slots=True)
class Result:
    """A finished item, before and after it is stored."""

    ordinal: int
    status: str
    records: Records
    error: str | None
    """The code of what failed."""
    entity_version: int | None
    published: int | None
    """What is written into the entity together with this result."""
    stops_run: bool = False
    is_refused: bool = False
    """Postgres will not take it: a failure without step results is stored in its place."""

    @property
    def in_place_of_it(self) -> "Result":
        return Result(self.ordinal, "FAILED", {}, "RESULT_NOT_STORED", self.entity_version, None)


@dataclass(slots=True)
class Way:
    """An item in the hands of a worker: only in memory until it is flushed."""

    ordinal: int
    entity_version: int | None
    """None for the item of a run without entities."""
    records: Records = field(default_factory=Records)
    fresh: bool = False
    """Whether it knows something that its checkpoint does not."""
    publishing: int | None = None

    def open_steps(self) -> list[str]:
        """Those that are due, and may begin."""
        return [
            step
            for step, before in STEPS.items()
            if not self._decided(step) and all(self._decided(one) for one in before)
        ]

    def answer(self, deed: Deed, output: int) -> Result | None:
        """The next open step answers. Gives the result when the item ends with it."""
        step = self.open_steps()[0]
        attempts = 1 if step not in self.records else self.records[step].attempts + 1
        if deed is Deed.FAIL_AT_END and step != LAST_STEP:
            self.answer(Deed.COMPLETE, output)
            return self.answer(deed, output)
        match deed:
            case Deed.COMPLETE | Deed.COMPLETE_ALL | Deed.PUBLISH:
                self.records[step] = Record("C", output, attempts)
            case Deed.SKIP | Deed.SKIP_ALL:
                self.records[step] = Record("S", None, attempts)
            case Deed.TRY_AGAIN:
                self.records[step] = Record("P", None, attempts)
            case Deed.FAIL | Deed.FAIL_AT_END | Deed.STOP_RUN | Deed.SPOIL:
                return self._failed(step, attempts, deed)
        if deed is Deed.PUBLISH and self.entity_version is not None:
            self.publishing = output
        if all(record in self.records and self.records[record].status == "S" for record in STEPS[LAST_STEP]):
            self.records[LAST_STEP] = Record("S")
        if deed in {Deed.COMPLETE_ALL, Deed.SKIP_ALL} and self.open_steps():
            return self.answer(deed, output)
        if self.open_steps():
            self.fresh = True
            return None
        return self._ended("COMPLETED" if self.records[LAST_STEP].status == "C" else "SKIPPED")

    def checkpoint(self) -> tuple[Records, int | None]:
        """What is stored of the item while it is not finished, and what is written into its entity with that."""
        self.fresh = False
        return dict(self.records), self._take_publication()

    def _failed(self, step: str, attempts: int, deed: Deed) -> Result:
        for other, record in self.records.items():
            if not record.is_decided:
                self.records[other] = Record("X")
        self.records[step] = Record("F", None, attempts)
        return self._ended("FAILED", "BROKEN", stops_run=deed is Deed.STOP_RUN, is_refused=deed is Deed.SPOIL)

    def _ended(
        self, status: str, error: str | None = None, *, stops_run: bool = False, is_refused: bool = False
    ) -> Result:
        published = self._take_publication()
        return Result(self.ordinal, status, self.records, error, self.entity_version, published, stops_run, is_refused)

    def _take_publication(self) -> int | None:
        published, self.publishing = self.publishing, None
        if published is not None and self.entity_version is not None:
            self.entity_version += 1
        return published

    def _decided(self, step: str) -> bool:
        return step in self.records and self.records[step].is_decided

"""What came of it, for people: each promise, whether it was held, and its figures."""

from collections.abc import Sequence
from dataclasses import dataclass, field

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Promise:
    sentence: str
    figures: str
    broken: Sequence[str] = ()
    """What was found against it."""

    @property
    def held(self) -> bool:
        return not self.broken


@dataclass(slots=True)
class Report:
    promises: list[Promise] = field(default_factory=list[Promise])
    figures: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def held(self) -> bool:
        return all(promise.held for promise in self.promises)

    def __str__(self) -> str:
        width = max(len(promise.sentence) for promise in self.promises)
        lines = [""]
        for promise in self.promises:
            mark = "held  " if promise.held else "BROKEN"
            lines.append(f"  {mark}  {promise.sentence:<{width}}  {promise.figures}")
            lines += [f"            {found}" for found in promise.broken[:SHOWN]]
            if len(promise.broken) > SHOWN:
                lines.append(f"            and {len(promise.broken) - SHOWN} more")
        lines.append("")
        width = max(len(name) for name in self.figures)
        lines += [f"  {name:<{width}}  {figure}" for name, figure in self.figures.items()]
        return "\n".join(lines)

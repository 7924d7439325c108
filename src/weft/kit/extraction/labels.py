"""Where the labels of a rule set stand: one search of a page for all of them, the longest first.

All labels are looked for together, those that belong to no field as well, because the longest wins: in `order date` stands
no `date`. So a label of one field never takes the value of another.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from weft.kit.extraction.document import Cell, Page
from weft.kit.extraction.folding import folded
from weft.kit.patterns import compiled

_GAP = "[ .-]"
_EDGE = re.compile(r"^[\s.:]+|[\s.:]+$")
_LEADING = re.compile(
    r"[^a-z]*(?:(?:zzgl|inkl|incl|excl|exkl|plus|add|including|davon|darin|dont|di cui|estimated|waarvan)[^a-z]+)?"
)
"""What may stand before a label that begins its cell: `7 % VAT`, `plus 7 % VAT`."""
_LONGEST_LEAD = 40
_MOST_MEMORY_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Mark:
    """A label on a page."""

    label: str
    """As `squeezed` makes it."""
    start: int
    end: int
    cell: Cell
    leads: bool
    """It begins its cell."""
    parts: bool
    """What stands before it has nothing to do with what follows: it begins its cell, or a colon or the like follows it."""
    announces: bool
    """So it does, or it stands behind a colon."""

    @property
    def left(self) -> int:
        return self.cell.left + self.start - self.cell.start

    @property
    def right(self) -> int:
        return self.left + self.end - self.start


def squeezed(label: str) -> str:
    """Equal for spellings of a label that differ in case, accents, dots, hyphens or spaces."""
    return re.sub(r"[ .\-:]", "", folded(label))


class LabelIndex:
    """The labels of a rule set, compiled once."""

    def __init__(self, labels: Iterable[str]) -> None:
        by_squeezed = {key: label for label in labels if (key := squeezed(label))}
        longest_first = sorted(by_squeezed.values(), key=lambda label: -len(squeezed(label)))
        written = "|".join(map(_written, longest_first))
        self._pattern = (
            compiled(written, ignore_case=False, max_memory_bytes=_MOST_MEMORY_BYTES) if longest_first else None
        )

    def marks(self, page: Page) -> list[Mark]:
        """In the order of the text."""
        if self._pattern is None:
            return []
        text = page.folded
        marks: list[Mark] = []
        for match in self._pattern.finditer(text):
            start, end = match.span()
            if (cell := page.cell_at(start)) is None or end > cell.end:
                continue
            before = text[max(cell.start, start - _LONGEST_LEAD) : start]
            leads = start - cell.start <= _LONGEST_LEAD and _LEADING.fullmatch(before) is not None
            follows = _LEADING.fullmatch(before.rpartition(":")[2]) is not None and ":" in before
            label = squeezed(match.group())
            parts = (leads or text[end : end + 3].lstrip(" .")[:1] in {":", "#", "="}) and any(map(str.isalpha, label))
            marks.append(Mark(label, start, end, cell, leads, parts, leads or parts or follows))
        return marks


def by_line(marks: Sequence[Mark]) -> Mapping[int, list[Mark]]:
    lines: dict[int, list[Mark]] = {}
    for mark in marks:
        lines.setdefault(mark.cell.line, []).append(mark)
    return lines


def _written(label: str) -> str:
    """The label as a pattern of folded text: between its words may stand a space, a dot, a hyphen, or nothing."""
    plain = _EDGE.sub("", folded(label))
    words = [re.escape(word) for word in re.split(r"[ .\-]+", plain) if word]
    before = r"\b" if plain[:1].isascii() and plain[:1].isalnum() else ""
    after = r"\b" if plain[-1:].isascii() and plain[-1:].isalnum() else ""
    written = f"{_GAP}{{0,2}}".join(words).replace("\N{DEGREE SIGN}", "[.]?\N{DEGREE SIGN}")
    return f"{before}{written}{after}"

"""Which paragraphs of a Word document are items of lists, and what stands before them."""

from collections import Counter
from typing import Any

from docx.oxml.ns import qn

_NUMBERING = f"{qn('w:pPr')}/{qn('w:numPr')}"


class Lists:
    def __init__(self, document: Any) -> None:
        self._numbered = _numbered_levels(document)
        self._counts: Counter[tuple[str, int]] = Counter()

    def place(self, paragraph: Any, style: str) -> tuple[int, str] | None:
        """The level, from 0, and the mark of an item; None for a paragraph that is none."""
        numbering = paragraph.find(_NUMBERING)
        if numbering is None:
            if not style.startswith("list "):
                return None
            return (0, self._number(style, 0)) if style.startswith("list number") else (0, "-")
        numbers = _value(numbering, "w:numId")
        if numbers in {"", "0"}:  # 0 takes away the number that the style gives
            return None
        told = _value(numbering, "w:ilvl")
        level = min(int(told), 8) if told.isdecimal() else 0
        return level, self._number(numbers, level) if (numbers, level) in self._numbered else "-"

    def _number(self, numbers: str, level: int) -> str:
        self._counts[numbers, level] += 1
        for deeper in range(level + 1, 9):
            self._counts.pop((numbers, deeper), None)
        return f"{self._counts[numbers, level]}."


def _numbered_levels(document: Any) -> set[tuple[str, int]]:
    """The levels that have numbers rather than bullets, by the number of their list."""
    try:
        numbering = document.part.numbering_part.element
    except (KeyError, NotImplementedError, AttributeError):
        return set()
    numbered: dict[str, list[int]] = {}
    for kind in numbering.findall(qn("w:abstractNum")):
        levels = ((level.get(qn("w:ilvl"), ""), _value(level, "w:numFmt")) for level in kind.findall(qn("w:lvl")))
        numbered[kind.get(qn("w:abstractNumId"), "")] = [
            int(level) for level, form in levels if level.isdecimal() and form not in {"bullet", "none", ""}
        ]
    return {
        (one.get(qn("w:numId"), ""), level)
        for one in numbering.findall(qn("w:num"))
        for level in numbered.get(_value(one, "w:abstractNumId"), ())
    }


def _value(element: Any, name: str) -> str:
    found = element.find(qn(name))
    return "" if found is None else found.get(qn("w:val"), "")

"""Values beside a label: to the right of it, below, to the left or above."""

from collections.abc import Iterator, Sequence

from weft.kit.extraction.candidates import Candidate
from weft.kit.extraction.document import Cell, Line, Page
from weft.kit.extraction.folding import spoken
from weft.kit.extraction.labels import Mark, squeezed
from weft.kit.extraction.look import Look, candidate_of, text_value
from weft.kit.extraction.readings import READ
from weft.kit.extraction.rules import FieldRules, Kind, LabelRule, Take, Where
from weft.kit.extraction.values.found import FoundValue

_BY_PLACE = {Where.RIGHT: 1.0, Where.BELOW: 0.93, Where.LEFT: 0.85, Where.ABOVE: 0.85}
INSIDE_A_SENTENCE = 0.8
WORDS_BETWEEN = 0.6
PART_OF_A_LABEL = 0.5
MOST_LETTERS_BETWEEN = 12
"""Between a label and its value: more of them are words that the label says nothing about."""
SKIPPED_LINE = 0.85
IN_A_TABLE = 0.5
"""A label that is one of several column heads, its value below: a row's value rather than the document's."""
HEADS = 3
HEADER_DISTANCE = 40
"""Lines between a row of totals and the heads of its columns."""
_NUMERIC = frozenset({Kind.AMOUNT, Kind.NUMBER})


def beside_labels(look: Look, page: Page, rules: FieldRules, rule: LabelRule) -> Iterator[Candidate]:
    wanted = {squeezed(label): label for label in rule.labels}
    for marks in look.marks(page).values():
        for mark in marks:
            if mark.label in wanted and (mark.announces or rule.anywhere):
                name = rule.name or f"label:{wanted[mark.label]}"
                sure = rule.confidence * (1.0 if mark.announces else INSIDE_A_SENTENCE)
                sure *= PART_OF_A_LABEL if _goes_on(page, mark) else 1.0
                yield from _beside(look, page, rules, rule, mark, sure, name)


def _beside(
    look: Look, page: Page, rules: FieldRules, rule: LabelRule, mark: Mark, sure: float, name: str
) -> Iterator[Candidate]:
    for where in rule.where:
        values = [(value, share) for value, share in _values(look, page, rules, rule, mark, where) if share > 0]
        if rule.header:
            values = [(value, share) for value, share in values if _is_below(page, value, mark, rule.header)]
        if not values:
            continue
        taken = values if rule.take is Take.ALL else [values[-1 if rule.take is Take.LAST else 0]]
        for value, share in taken:
            yield candidate_of(page, value, sure * share * _BY_PLACE[where], name)
        return


def _values(
    look: Look, page: Page, rules: FieldRules, rule: LabelRule, mark: Mark, where: Where
) -> list[tuple[FoundValue, float]]:
    line = page.lines[mark.cell.line]
    match where:
        case Where.RIGHT:
            return _in_line(look, page, rules, rule, mark.end, _next_label(look, page, mark, line), mark)
        case Where.LEFT:
            return _in_line(look, page, rules, rule, _previous_label(look, page, mark, line), mark.start, mark)
        case Where.BELOW:
            return _in_lines(look, page, rules, rule, mark, page.lines[line.index + 1 : line.index + 1 + rule.lines])
        case Where.ABOVE:
            above = page.lines[max(0, line.index - rule.lines) : line.index]
            return _in_lines(look, page, rules, rule, mark, above[::-1])


def _next_label(look: Look, page: Page, mark: Mark, line: Line) -> int:
    later = [other.start for other in look.marks(page).get(line.index, ()) if other.start > mark.start and other.parts]
    return min(later, default=line.end)


def _previous_label(look: Look, page: Page, mark: Mark, line: Line) -> int:
    earlier = [other.end for other in look.marks(page).get(line.index, ()) if other.end <= mark.start and other.parts]
    return max(earlier, default=line.start)


def _in_line(
    look: Look, page: Page, rules: FieldRules, rule: LabelRule, start: int, end: int, mark: Mark
) -> list[tuple[FoundValue, float]]:
    if rules.type in READ and rule.pattern is None:
        found = look.values(page, rules.type, start, end)
        return [
            (value, _share_between(page, mark, value, found)) for value in found if _gap(value, mark) <= rule.columns
        ]
    for piece_start, piece_end in _pieces(page, mark, start, end):
        value = text_value(look, page, rules, piece_start, piece_end, rule.pattern)
        if value is not None:
            return [(value, 1.0)] if _gap(value, mark) <= rule.columns else []
        if any(map(str.isalnum, page.text[piece_start:piece_end])):
            return []
    return []


def _goes_on(page: Page, mark: Mark) -> bool:
    """More words and then a colon: `date of invoice concerned:` announces something else than `date of invoice:`."""
    words, colon, _ = page.text[mark.end : mark.cell.end].partition(":")
    return bool(colon) and any(map(str.isalpha, words)) and not any(map(str.isdigit, words)) and "(" not in words


def _gap(value: FoundValue, mark: Mark) -> int:
    return value.start - mark.end if value.start >= mark.end else mark.start - value.end


def _pieces(page: Page, mark: Mark, start: int, end: int) -> list[tuple[int, int]]:
    """What lies between two places, in pieces that stand apart, the nearest to the label first."""
    line = page.lines[mark.cell.line]
    pieces = [
        (max(start, cell.start), min(end, cell.end)) for cell in line.cells if cell.end > start and cell.start < end
    ]
    return pieces if start >= mark.end else pieces[::-1]


def _share_between(page: Page, mark: Mark, value: FoundValue, found: Sequence[FoundValue]) -> float:
    """Letters between a label and its value, other values aside, make it less sure that they belong together."""
    between = page.text[mark.end : value.start] if value.start >= mark.end else page.text[value.end : mark.start]
    letters = sum(map(str.isalpha, between))
    for other in found:
        if mark.end <= other.start and other.end <= value.start:
            letters -= sum(map(str.isalpha, page.text[other.start : other.end]))
    return 1.0 if letters <= MOST_LETTERS_BETWEEN else WORDS_BETWEEN


def _in_lines(
    look: Look, page: Page, rules: FieldRules, rule: LabelRule, mark: Mark, lines: Sequence[Line]
) -> list[tuple[FoundValue, float]]:
    if any(map(str.isalpha, page.text[mark.end : mark.cell.end])) and rule.pattern is None and rules.type in READ:
        return []
    heads = len(look.marks(page).get(mark.cell.line, ()))
    share = IN_A_TABLE if heads >= HEADS and rules.type in _NUMERIC else 1.0
    for line in lines:
        for cell in line.cells:
            if not _shares_columns(cell, mark):
                continue
            if any(other.leads for other in look.marks_of(cell, page)):
                return []
            if values := _in_cell(look, page, rules, rule, cell, mark):
                return [(value, share) for value in values]
        share *= SKIPPED_LINE
    return []


def _shares_columns(cell: Cell, mark: Mark, slack: int = 1) -> bool:
    return cell.left < mark.right + slack and mark.left - slack < cell.right


def _in_cell(look: Look, page: Page, rules: FieldRules, rule: LabelRule, cell: Cell, mark: Mark) -> list[FoundValue]:
    if rules.type in READ and rule.pattern is None:
        found = look.values(page, rules.type, cell.start, cell.end)
        alone = [value for value in found if _stands_alone(page, cell, value)]
        return alone if rules.type in _NUMERIC else found
    del mark
    value = text_value(look, page, rules, cell.start, cell.end, rule.pattern)
    return [value] if value is not None else []


def _stands_alone(page: Page, cell: Cell, value: FoundValue) -> bool:
    """Hardly anything else in its cell: a number inside a sentence is no value of a column."""
    around = page.text[cell.start : value.start] + page.text[value.end : cell.end]
    return sum(map(str.isalnum, around)) <= MOST_LETTERS_BETWEEN


def _is_below(page: Page, value: FoundValue, mark: Mark, header: Sequence[str]) -> bool:
    """Whether the nearest words above the value, in its columns, are one of the header's."""
    line = page.lines[mark.cell.line]
    left, right = value.start - line.start, value.end - line.start
    words = [spoken(label) for label in header]
    for above in page.lines[max(0, line.index - HEADER_DISTANCE) : line.index][::-1]:
        for cell in above.cells:
            if cell.left < right and left < cell.right and any(map(str.isalpha, cell.text)):
                heading = spoken(cell.text)
                return any(word in heading for word in words)
    return False

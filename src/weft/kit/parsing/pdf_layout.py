"""The text of a PDF page as it looks: words put by their boxes into lines, columns kept apart by spaces.

A PDF holds its text in the order in which it was drawn, so a label and its value may be far apart there. The words of that
stream are joined to runs where one follows the other closely, and the runs are put into visual lines. Pure.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter

Box = tuple[float, float, float, float, float, float, float, float]
"""Of a word: left, top, right and bottom of its first character, then of its last. Upwards, in points."""
Span = tuple[int, int]
"""Where a word stands in the stream."""

WIDE = 0.75
"""From this share of the line's height on, the space between words keeps columns apart: a usual space is a quarter."""
SMALLEST_SPACE = 0.1
SAME_LINE = 0.6
"""How far apart the feet of two runs on one line may be, in heights of the smaller one: superscripts, mixed sizes."""
NEW_PARAGRAPH = 1.7
"""Lines further apart than this many of their heights have an empty line between them."""
LEVEL = 0.6
"""Points between the feet of characters that count as one height."""
MOST_COLUMNS = 400
"""A line is not filled up further, however far apart the page says its columns are."""


Run = tuple[float, float, float, float, int, int]
"""Words of the stream that follow each other closely on one line: foot, left, right, height, start, end.

A plain tuple, as are boxes: there are some hundred on a page, and its text has to cost little beside pdfium's own work.
"""


def page_text(stream: str, words: Sequence[Span], boxes: Iterable[Box], rotation: int = 0) -> str:
    """`rotation`: how many quarters clockwise the page is turned when it is shown."""
    boxes = _turned(boxes, rotation) if rotation else list(boxes)
    runs, down, up = _runs(words, boxes)
    if down or up:
        if 2 * (len(down) + len(up)) > len(words):  # a wide table, drawn sideways on a page that is not turned
            turns = 1 if len(up) >= len(down) else 3
            runs, down, up = _runs(words, _turned(boxes, turns))
        sideways = [stream[start:end] for start, end in sorted(down + up)]
    else:
        sideways = []
    text = _laid_out(stream, runs)
    return f"{text}\n\n{' '.join(sideways)}" if sideways else text


def _runs(words: Sequence[Span], boxes: Iterable[Box]) -> tuple[list[Run], list[Span], list[Span]]:
    """The runs, and the words that lead down or up the page."""
    runs: list[Run] = []
    down: list[Span] = []
    up: list[Span] = []
    last_end, foot, first_left, last_right, height, first_start = -9, 0.0, 0.0, 0.0, 0.0, 0
    for (start, end), (left, top, _, bottom, _, _, right, last_bottom) in zip(words, boxes, strict=True):
        if not -LEVEL < last_bottom - bottom < LEVEL and abs(last_bottom - bottom) > abs(right - left):
            (up if last_bottom > bottom else down).append((start, end))
            continue
        if (
            start - last_end == 1  # more than one character between is a new line of the stream
            and -LEVEL < bottom - foot < LEVEL
            and -height < 4 * (left - last_right) < 4 * WIDE * height
        ):
            last_end, last_right = end, right
            continue
        if last_end >= 0:
            runs.append((foot, first_left, last_right, height, first_start, last_end))
        first_start, last_end, foot, first_left, last_right, height = start, end, bottom, left, right, top - bottom
    if last_end >= 0:
        runs.append((foot, first_left, last_right, height, first_start, last_end))
    return runs, down, up


def _laid_out(stream: str, runs: list[Run]) -> str:
    if not runs:
        return ""
    width, characters = 0.0, 0
    for _, left, right, _, start, end in runs:
        width += right - left
        characters += end - start
    column = width / characters if width > 0 else 1.0
    margin = min(map(itemgetter(1), runs))
    text: list[str] = []
    last_foot = runs[0][0]
    for line in _lines(runs):
        foot, left, _, height, start, end = line[0]
        if last_foot - foot > NEW_PARAGRAPH * height:
            text.append("")
        last_foot = foot
        before = " " * min(int((left - margin) / column), MOST_COLUMNS)
        text.append(before + stream[start:end] + (_rest(stream, line, margin, column) if len(line) > 1 else ""))
    return "\n".join(text).lstrip("\n")


def _lines(runs: list[Run]) -> list[list[Run]]:
    """From top to bottom, each from left to right."""
    lines: list[list[Run]] = []
    foot, height = float("inf"), 0.0
    for run in sorted(runs, reverse=True):
        if foot - run[0] <= SAME_LINE * (min(run[3], height)):
            lines[-1].append(run)
            if run[3] > height:
                foot, height = run[0], run[3]
        else:
            lines.append([run])
            foot, height = run[0], run[3]
    for line in lines:
        if len(line) > 1:
            line.sort(key=itemgetter(1))
    return lines


def _rest(stream: str, line: list[Run], margin: float, column: float) -> str:
    """What follows the first run of a line, each run under its column as far as there is room."""
    _, left, right, _, start, end = line[0]
    parts: list[str] = []
    length = min(int((left - margin) / column), MOST_COLUMNS) + end - start
    for _, left, its_right, height, start, end in line[1:]:
        gap = left - right
        if gap >= WIDE * height:
            spaces = max(2, min(int((left - margin) / column), MOST_COLUMNS) - length)
        else:
            spaces = 1 if gap > SMALLEST_SPACE * height else 0
        parts.append(" " * spaces + stream[start:end])
        length += spaces + end - start
        right = max(right, its_right)
    return "".join(parts)


def _turned(boxes: Iterable[Box], quarters: int) -> list[Box]:
    """As the page looks when it is turned clockwise."""
    match quarters:
        case 1:  # (x, y) comes to (y, -x)
            return [(b, -l, t, -r, lb, -ll, lt, -lr) for l, t, r, b, ll, lt, lr, lb in boxes]  # noqa: E741 - left
        case 2:
            return [(-r, -b, -l, -t, -lr, -lb, -ll, -lt) for l, t, r, b, ll, lt, lr, lb in boxes]  # noqa: E741 - left
        case 3:  # (x, y) comes to (-y, x)
            return [(-t, r, -b, l, -lt, lr, -lb, ll) for l, t, r, b, ll, lt, lr, lb in boxes]  # noqa: E741 - left
        case _:
            return list(boxes)

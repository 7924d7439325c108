"""The text of a PDF page as it looks: words put by their boxes into lines, columns kept apart by spaces.

A PDF holds its text in the order in which it was drawn, so a label and its value may be far apart there. The words of that
stream are joined to runs where one follows the other closely, and the runs are put into visual lines. Pure.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from struct import iter_unpack

Box = tuple[float, float, float, float, float]
"""Of a word: left, top and bottom of its first character, right and bottom of its last. Upwards, in points."""
Span = tuple[int, int]
"""Where a word stands in the stream."""

_UPRIGHT = "2f4xf8x2f"
"""Of the boxes of a word's first and last character (left, top, right, bottom each) what makes a Box."""
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
"""Words of the stream that follow each other closely on one line: depth (the foot, downwards), left, right, height, start, end.

A plain tuple, as are boxes: there are some hundred on a page, and its text has to cost little beside pdfium's own work.
"""


def page_text(stream: str, words: Sequence[Span], boxes: bytes, rotation: int = 0) -> str:
    """`boxes`: of the first and the last character of each word, four floats each: left, top, right, bottom.

    `rotation`: how many quarters clockwise the page is turned when it is shown.
    """
    runs, down, up = _runs(words, _turned(boxes, rotation))
    if down or up:
        if 2 * (len(down) + len(up)) > len(words):  # a wide table, drawn sideways on a page that is not turned
            turns = 1 if len(up) >= len(down) else 3
            runs, down, up = _runs(words, _turned(boxes, rotation + turns))
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
    for (start, end), (left, top, bottom, right, last_bottom) in zip(words, boxes, strict=True):
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
            runs.append((-foot, first_left, last_right, height, first_start, last_end))
        first_start, last_end, foot, first_left, last_right, height = start, end, bottom, left, right, top - bottom
    if last_end >= 0:
        runs.append((-foot, first_left, last_right, height, first_start, last_end))
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
    last_depth = runs[0][0]
    for line in _lines(runs):
        depth, _, _, height, _, _ = line[0]
        if depth - last_depth > NEW_PARAGRAPH * height:
            text.append("")
        last_depth = depth
        text.append(_line(stream, line, margin, column))
    return "\n".join(text).lstrip("\n")


def _lines(runs: list[Run]) -> list[list[Run]]:
    """From top to bottom, each from left to right."""
    runs.sort()
    lines: list[list[Run]] = []
    line: list[Run] = []
    deepest, height = float("-inf"), 0.0
    for run in runs:
        its_height = run[3]
        smaller = its_height if its_height < height else height  # noqa: FURB136 - a call would double the price of a run
        if run[0] - deepest <= SAME_LINE * smaller:
            line.append(run)
            if its_height > height:
                deepest, height = run[0], its_height
        else:
            line = [run]
            lines.append(line)
            deepest, height = run[0], its_height
    for line in lines:
        if len(line) > 1:
            line.sort(key=itemgetter(1))
    return lines


def _line(stream: str, line: list[Run], margin: float, column: float) -> str:
    """Each run under its column as far as there is room."""
    parts: list[str] = []
    length, last_right = 0, float("-inf")
    for _, left, right, height, start, end in line:
        gap = left - last_right
        if gap >= WIDE * height:
            place = int((left - margin) / column)
            if place > MOST_COLUMNS:  # noqa: PLR1730 - as above
                place = MOST_COLUMNS
            if place < length + 2 and parts:
                place = length + 2
        else:
            place = length + 1 if gap > SMALLEST_SPACE * height else length
        until = place + end - start
        parts.append(stream[start:end].rjust(until - length))
        length = until
        if right > last_right:  # noqa: PLR1730 - as above
            last_right = right
    return "".join(parts)


def _turned(boxes: bytes, quarters: int) -> Iterable[Box]:
    """As the page looks when it is turned clockwise. `l`, `t`, `r` and `b` are the first character's, `ll` to `lb` the last's."""
    match quarters % 4:
        case 1:  # (x, y) comes to (y, -x)
            return [(b, -l, -r, lt, -lr) for l, _, r, b, _, lt, lr, _ in iter_unpack("8f", boxes)]  # noqa: E741 - left
        case 2:
            return [(-r, -b, -t, -ll, -lt) for _, t, r, b, ll, lt, _, _ in iter_unpack("8f", boxes)]
        case 3:  # (x, y) comes to (-y, x)
            return [(-t, r, l, -lb, ll) for l, t, r, _, ll, _, _, lb in iter_unpack("8f", boxes)]  # noqa: E741 - left
        case _:
            return iter_unpack(_UPRIGHT, boxes)

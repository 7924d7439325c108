"""The table that people read."""

from collections.abc import Sequence

from benchmarks.figure import Better, Figure

HEADINGS = ("figure", "measured", "floor", "value", "bar", "aim", "met")


def rendered(figures: Sequence[Figure]) -> str:
    rows = [HEADINGS, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ["  ".join(_aligned(row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _row(figure: Figure) -> tuple[str, ...]:
    sign = ">=" if figure.better is Better.HIGHER else "<="
    return (
        figure.name,
        _quantity(figure.measured, figure.unit),
        "" if figure.floor is None else _quantity(figure.floor, figure.unit),
        _quantity(figure.value, figure.value_unit),
        "" if figure.bar is None else f"{sign} {figure.bar:g}",
        "" if figure.aim is None else f"{figure.aim:g}",
        figure.met,
    )


def _quantity(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 1_000 else 1 if abs(value) >= 100 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f} {unit}"


def _aligned(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Names and verdicts to the left, numbers to the right."""
    first, *numbers, last = row
    return [
        first.ljust(widths[0]),
        *(number.rjust(width) for number, width in zip(numbers, widths[1:-1], strict=True)),
        last,
    ]

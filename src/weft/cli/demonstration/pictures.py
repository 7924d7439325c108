"""How the states of the demo look, within 80 columns. Pure: a state goes in, text or a table comes out."""

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from weft.cli.demonstration.display import State
from weft.graphql.scalars import parse_duration

_BAR_WIDTH = 20


def heading(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def import_picture(scale: int, seconds: float, state: State) -> RenderableType:
    return _bar("Import", state["rowsRead"], scale, _import_figures(scale, seconds, state))


def import_line(scale: int, seconds: float, state: State) -> str:
    return f"Import  {_import_figures(scale, seconds, state)}"


def upload_picture(state: State) -> RenderableType:
    return _bar("Upload", state["done"], state["total"], f"{state['done']:,} of {state['total']:,}")


def upload_line(state: State) -> str:
    return f"Upload  {state['done']:,} of {state['total']:,}"


def run_picture(state: State) -> RenderableType:
    steps = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    steps.add_column("step", min_width=16)
    for name in ("completed", "failed", "skipped"):
        steps.add_column(name, justify="right", min_width=10)
    for step in state["steps"]:
        counts = (step["completed"], step["failed"], step["skipped"])
        steps.add_row(step["stepId"], *map(_count, counts, ("green", "red", "yellow")))
    bar = _bar("Run", state["finished"], state["total"], _run_figures(state))
    return Group(bar, Padding(_outcome(state), (0, 0, 1, 8)), Padding(steps, (0, 0, 0, 8)))


def run_line(state: State) -> str:
    return f"Run     {_run_figures(state) if state['eta'] else _outcome(state).plain}"


def failures(groups: Sequence[State]) -> RenderableType:
    rows = ((Text(f"{group['count']:,}", "red"), group["code"], group["message"]) for group in groups)
    return _rows(rows, justify="right")


def results(summaries: Mapping[str, str]) -> RenderableType:
    return _rows((Text(kind, "green"), summary) for kind, summary in summaries.items())


def comparison(counts: Mapping[str, Mapping[str, int]]) -> RenderableType:
    """How often each value was read right, wrong, or not at all."""
    styles = {"right": "green", "wrong": "red", "missing": "yellow"}
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("value", min_width=16)
    for name in styles:
        table.add_column(name, justify="right", min_width=10)
    for field, counted in counts.items():
        table.add_row(field, *(_count(counted.get(name, 0), style) for name, style in styles.items()))
    return Padding(table, (0, 0, 0, 2))


def _rows(rows: Iterable[tuple[str | Text, ...]], *, justify: str = "left") -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right" if justify == "right" else "left", no_wrap=True)
    for row in rows:
        # As text: a message may hold what the library takes for its markup.
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    return Padding(table, (0, 0, 0, 2))


def _bar(name: str, done: int, total: int, figures: str) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(min_width=6)
    table.add_row(name, ProgressBar(total=max(total, 1), completed=done, width=_BAR_WIDTH), Text(figures))
    return table


def _import_figures(scale: int, seconds: float, state: State) -> str:
    speed = f" · {state['rowsRead'] / seconds:,.0f}/s" if seconds and state["rowsRead"] else ""
    return f"{state['rowsRead']:,} of {scale:,}{speed}"


def _run_figures(state: State) -> str:
    speed = "" if state["itemsPerSecond"] is None else f" · {state['itemsPerSecond']:,.0f}/s"
    remaining = "" if state["eta"] is None else f" · {_in_words(parse_duration(state['eta']).total_seconds())} left"
    return f"{state['finished']:,} of {state['total']:,}{speed}{remaining}"


def _outcome(state: State) -> Text:
    kinds = {"completed": "green", "failed": "red", "skipped": "yellow"}
    if state["cancelled"]:
        kinds["cancelled"] = "magenta"
    parts = [Text.assemble(_count(state[name], style), f" {name}") for name, style in kinds.items()]
    return Text(", ").join(parts)


def _count(number: int, style: str) -> Text:
    return Text(f"{number:,}", style if number else "dim")


def _in_words(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

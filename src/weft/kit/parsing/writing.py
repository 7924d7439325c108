"""A document that is made of blocks, one after the other, written twice: as text and as Markdown."""

from collections.abc import Sequence

from weft.kit.parsing.cells import CellBudget, as_markdown, as_text
from weft.kit.parsing.cleaning import clean
from weft.kit.parsing.parsed import Cell, Limits, Table

DEEPEST_HEADING = 6
DEEPEST_LIST = 8


class Writing:
    """Blocks that are too much are left out, and `truncated` says so."""

    def __init__(self, limits: Limits) -> None:
        self._left = limits.characters
        self._budget = CellBudget(limits.cells)
        self._text: list[str] = []
        self._markdown: list[str] = []
        self._in_list = False
        self._cut = False
        self.tables: list[Table] = []

    @property
    def full(self) -> bool:
        return self._left <= 0

    @property
    def truncated(self) -> bool:
        return self._cut or self._budget.exceeded

    @property
    def text(self) -> str:
        return "\n".join(self._text).strip("\n")

    @property
    def markdown(self) -> str:
        return "\n".join(self._markdown).strip("\n")

    def heading(self, level: int, text: str) -> None:
        text = " ".join(clean(text).split())
        if text:
            self._block(text, f"{'#' * max(1, min(level, DEEPEST_HEADING))} {text}")

    def paragraph(self, text: str, markdown: str | None = None) -> None:
        text = clean(text).strip("\n")
        if text.strip():
            self._block(text, text if markdown is None else clean(markdown).strip("\n"))

    def item(self, text: str, level: int = 0, mark: str = "-") -> None:
        """Of a list; `mark` is `-`, or a number with a full stop."""
        text = clean(text).strip()
        if not text:
            return
        before = "  " * min(level, DEEPEST_LIST) + mark + " "
        follow = "\n" + " " * len(before)
        self._block(before + text.replace("\n", follow), before + text.replace("\n", follow), in_list=True)

    def code(self, text: str) -> None:
        text = clean(text).strip("\n")
        if text.strip():
            self._block(text, f"```\n{text}\n```")

    def table(self, rows: Sequence[list[Cell]], *, page: int | None = None, name: str | None = None) -> None:
        taken = self._budget.take(rows)
        if taken:
            self.tables.append(Table(taken, page, name))
            self._block(as_text(taken), as_markdown(taken))

    def _block(self, text: str, markdown: str, *, in_list: bool = False) -> None:
        if len(text) > self._left:
            self._cut = True
            text = text[: max(0, self._left)]
            markdown = markdown[: len(text)]
        self._left -= len(text)
        if not text:
            return
        # Items follow each other closely; other blocks have an empty line before them.
        apart = [] if in_list and self._in_list else [""]
        self._text += [*apart, text]
        self._markdown += [*apart, markdown]
        self._in_list = in_list

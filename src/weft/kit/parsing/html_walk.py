"""A tree of HTML, walked through in the order of the text. Without recursion: strangers nest a hundred thousand elements."""

import re

from selectolax.lexbor import LexborNode

from weft.kit.parsing.parsed import Cell
from weft.kit.parsing.writing import Writing

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
    ]
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*", "code": "`"}
_SAYS = {"br": ("\n", "\n"), "td": ("  ", "  "), "th": ("  ", "  "), "a": ("", "[")} | {
    tag: ("", mark) for tag, mark in _MARKS.items()
}
"""What an element says where it begins, as text and as Markdown."""
_EMPTY_MARKS = re.compile(r"\*\*\s*\*\*|``")
_SPACES = re.compile(r"[ \t\r\n\f]+")
_WIDEST_SPAN = 100


class Walk:
    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._text: list[str] = []
        self._markdown: list[str] = []
        self._lists: list[int | None] = []
        """Of each list that is open: the number of its next item; None where it has no numbers."""
        self._in_pre = 0
        self._layout_tables: set[int] = set()

    def over(self, root: LexborNode) -> None:
        self._find_layout_tables(root)
        node, ends = root, root.mem_id
        while not self._writing.full:
            child = node.first_child if self._enter(node) else None
            if child is not None:
                node = child
                continue
            self._leave(node)
            while node.mem_id != ends and node.next is None and node.parent is not None:
                node = node.parent
                self._leave(node)
            if node.mem_id == ends or node.next is None:
                break
            node = node.next
        self._flush()

    def _find_layout_tables(self, root: LexborNode) -> None:
        """Tables with tables in them are there for the looks: their cells are no data."""
        open_tables: list[int] = []
        node, ends = root, root.mem_id
        while True:
            if node.tag == "table":
                self._layout_tables.update(open_tables[-1:])
                open_tables.append(node.mem_id)
            if (child := node.first_child) is not None:
                node = child
                continue
            while True:
                if open_tables and node.mem_id == open_tables[-1]:
                    open_tables.pop()
                if node.mem_id == ends:
                    return
                if (following := node.next) is not None:
                    node = following
                    break
                if (parent := node.parent) is None:
                    return
                node = parent

    def _enter(self, node: LexborNode) -> bool:
        """Whether the walk goes into it."""
        if node.is_text_node:
            self._say(node.text_content or "")
            return False
        tag = node.tag or ""
        if tag in _SAYS:
            self._add(*_SAYS[tag])
        elif tag in _BLOCKS or tag in _HEADINGS:
            self._flush()
        match tag:
            case "table" if node.mem_id not in self._layout_tables and (rows := _rows(node)):
                self._writing.table(rows)
                return False
            case "ul":
                self._lists.append(None)
            case "ol":
                self._lists.append(1)
            case "pre":
                self._in_pre += 1
            case _:
                pass
        return True

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        match tag:
            case "ul" | "ol":
                self._flush()
                if self._lists:
                    self._lists.pop()
            case "li":
                self._flush()
            case "pre":
                text = "".join(self._text)
                self._text, self._markdown = [], []
                self._in_pre -= 1
                self._writing.code(text)
            case _ if tag in _HEADINGS:
                text, _ = self._taken()
                self._writing.heading(_HEADINGS[tag], text)
            case _ if tag in _BLOCKS:
                self._flush()
            case _ if tag in _MARKS:
                self._add("", _MARKS[tag])
            case "a":
                href = (node.attributes.get("href") or "").strip()
                self._add("", f"]({href})" if href.startswith(("http", "mailto")) else "]")
            case _:
                pass

    def _say(self, text: str) -> None:
        said = text if self._in_pre else _SPACES.sub(" ", text)
        self._add(said, said)

    def _add(self, text: str, markdown: str) -> None:
        self._text.append(text)
        self._markdown.append(markdown)

    def _taken(self) -> tuple[str, str]:
        text, markdown = _lines("".join(self._text)), _lines("".join(self._markdown))
        self._text, self._markdown = [], []
        return text, _EMPTY_MARKS.sub("", markdown).replace("[]", "")

    def _flush(self) -> None:
        """Ends the block that is being written. What stands in a list is an item of it."""
        text, markdown = self._taken()
        if not text:
            return
        if not self._lists:
            self._writing.paragraph(text, markdown)
            return
        number = self._lists[-1]
        mark = "-"
        if number is not None:
            mark, self._lists[-1] = f"{number}.", number + 1
        self._writing.item(text, len(self._lists) - 1, mark)


def _lines(text: str) -> str:
    """Without the spaces that a browser does not show."""
    return "\n".join(line.strip() for line in text.split("\n")).strip()


def _rows(table: LexborNode) -> list[list[Cell]]:
    """Empty where the table has one column: then it is there for the looks."""
    rows: list[list[Cell]] = []
    for row in table.css("tr"):
        cells: list[Cell] = []
        for cell in row.iter():
            if cell.tag in {"td", "th"}:
                cells.append(" ".join(cell.text(separator=" ").split()))
                span = cell.attributes.get("colspan") or ""
                cells += [None] * (min(int(span), _WIDEST_SPAN) - 1 if span.isdecimal() and len(span) < 5 else 0)  # noqa: PLR2004 - digits
        if cells:
            rows.append(cells)
    return rows if any(len(row) > 1 for row in rows) else []

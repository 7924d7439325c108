"""JSON, and JSON Lines as a list of its lines."""

from typing import Any

import orjson

from weft.kit.parsing.formats import FORMATS, Format
from weft.kit.parsing.parsed import Page, Parsed, Wanted, broken
from weft.kit.parsing.source import Source
from weft.kit.parsing.text import parse as parse_text
from weft.kit.parsing.text import written

DEEPEST = 100
"""Levels that later steps can still handle."""


def parse(source: Source, wanted: Wanted, found: Format) -> Parsed:
    text, encoding, truncated = written(source, wanted)
    data, wrong = (None, "") if truncated else _value(text)
    if wrong:
        if not source.extension.startswith(".json"):  # a text may begin with a bracket
            return parse_text(source, wanted, FORMATS["text"])
        raise broken(f"The file is no JSON: {wrong}.")
    return Parsed(
        found.name, found.mime_type, [Page(1, text)], metadata={"encoding": encoding}, data=data, truncated=truncated
    )


def _value(text: str) -> tuple[Any, str]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) < 2:  # noqa: PLR2004 - of one line the first error tells
            return None, str(error)
        try:
            value = [orjson.loads(line) for line in lines]
        except orjson.JSONDecodeError:
            return None, str(error)
    return (None, f"it is nested more than {DEEPEST} levels deep") if _deeper_than(value, DEEPEST) else (value, "")


def _deeper_than(value: Any, levels: int) -> bool:
    level = [value]
    for _ in range(levels):
        level = [
            part
            for whole in level
            if isinstance(whole, dict | list)
            for part in (whole.values() if isinstance(whole, dict) else whole)  # pyright: ignore[reportUnknownVariableType] - JSON
        ]
    return any(isinstance(part, dict | list) for part in level)

"""What the text step does to one text: pure functions, made once per step from its config."""

import re
import unicodedata
from collections.abc import Callable
from itertools import islice
from typing import Any, cast

from weft.domain.step import Fail
from weft.kit.json import in_words
from weft.steps._pattern import compiled, replacement_of
from weft.steps._text_config import Operation, TextConfig

MAX_CHARACTERS = 1_000_000
"""Of a result: a small text and a small replacement could otherwise make one that fills the memory."""
MAX_PARTS = 100_000
_JOINS_NEXT = "\u200d"
_WORD = re.compile(r"\w+(?:['’]\w+)?")  # noqa: RUF001 - the printed apostrophe belongs to a word
Change = Callable[[str], Any]


def change_of(config: TextConfig) -> Change:
    """Raises BadPatternError."""
    match config.operation:
        case Operation.TRIM:
            return lambda text: text.strip(config.characters)
        case Operation.REPLACE:
            return _replace(config)
        case Operation.SPLIT:
            return _split(config)
        case Operation.TRUNCATE:
            return _truncate(config.length or 0, config.suffix)
        case operation:
            return _PLAIN[operation]


def joined(value: Any, separator: str, field: str) -> str:
    if not isinstance(value, list):
        raise Fail(f"{field} holds {in_words(value)}, and join needs a list.", code="LIST_EXPECTED")
    return _bounded([_part(part, field) for part in cast("list[Any]", value)], separator)


def concatenated(values: dict[str, Any], fields: tuple[str, ...], separator: str) -> str:
    present = ((field, values.get(field)) for field in fields)
    return _bounded([_part(value, field) for field, value in present if not _is_empty(value)], separator)


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value)


def _part(value: Any, field: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise Fail(f"{field} holds {in_words(value)}, which is neither text nor a number.", code="TEXT_EXPECTED")


def _bounded(parts: list[str], separator: str) -> str:
    _check_length(sum(map(len, parts)) + len(separator) * max(0, len(parts) - 1))
    return separator.join(parts)


def _check_length(characters: int) -> None:
    if characters > MAX_CHARACTERS:
        raise Fail(f"The result would be longer than {MAX_CHARACTERS:,} characters.", code="TEXT_TOO_LONG")


def _replace(config: TextConfig) -> Change:
    if config.pattern is None:
        return _replace_literally(config.search or "", config.replacement)
    pattern = compiled(config.pattern, ignore_case=config.ignore_case)
    replacement = replacement_of(pattern, config.replacement)

    def replace(text: str) -> str:
        parts: list[str] = []
        end = made = 0
        for match in pattern.finditer(text):
            parts += (text[end : match.start()], replacement(match))
            end = match.end()
            made += len(parts[-1]) + len(parts[-2])
            _check_length(made)
        parts.append(text[end:])
        return "".join(parts)

    return replace


def _replace_literally(search: str, replacement: str) -> Change:
    growth = len(replacement) - len(search)

    def replace(text: str) -> str:
        if growth > 0:
            _check_length(len(text) + growth * text.count(search))
        return text.replace(search, replacement)

    return replace


def _split(config: TextConfig) -> Change:
    if config.pattern is None:
        separator = config.separator
        return lambda text: _few(text.split(separator, MAX_PARTS))
    pattern = compiled(config.pattern, ignore_case=config.ignore_case)

    def split(text: str) -> list[str]:
        parts: list[str] = []
        end = 0
        for match in islice(pattern.finditer(text), MAX_PARTS):
            if match.start() == match.end():
                continue
            parts.append(text[end : match.start()])
            end = match.end()
        parts.append(text[end:])
        return _few(parts)

    return split


def _few(parts: list[str]) -> list[str]:
    if len(parts) > MAX_PARTS:
        raise Fail(f"The text has more than {MAX_PARTS:,} parts.", code="TEXT_TOO_LONG")
    return parts


def _truncate(length: int, suffix: str) -> Change:
    kept = max(0, length - len(suffix))
    end = suffix[:length]
    return lambda text: text if len(text) <= length else text[:kept] + end


def _reverse(text: str) -> str:
    """Character by character as a reader sees them: an accent stays on its letter, a joined emoji stays whole."""
    if text.isascii():
        return text[::-1]
    clusters: list[str] = []
    for character in text:
        if clusters and (
            character == _JOINS_NEXT
            or clusters[-1].endswith(_JOINS_NEXT)
            or "\U0001f3fb" <= character <= "\U0001f3ff"
            or unicodedata.category(character).startswith("M")
        ):
            clusters[-1] += character
        else:
            clusters.append(character)
    return "".join(reversed(clusters))


_PLAIN: dict[Operation, Change] = {
    Operation.REVERSE: _reverse,
    Operation.UPPER: str.upper,
    Operation.LOWER: str.lower,
    Operation.TITLE: lambda text: _WORD.sub(lambda word: word[0].capitalize(), text),
    Operation.CAPITALIZE: str.capitalize,
    Operation.COLLAPSE: lambda text: " ".join(text.split()),
    Operation.LENGTH: len,
}

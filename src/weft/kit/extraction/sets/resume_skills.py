"""The lists of a résumé: skills, and languages with their levels."""

from collections.abc import Iterator

from weft.kit.extraction.candidates import Candidate, Found
from weft.kit.extraction.document import Document
from weft.kit.extraction.readings import Readings
from weft.kit.extraction.sets.prose import candidate, found
from weft.kit.extraction.sets.resume_sections import Piece, section_of, sections
from weft.kit.extraction.values import languages
from weft.kit.extraction.values.text import Pattern, plain

_AROUND = " \t-*.:\u2013\u2014\u2022\u25aa\u25cf\u25e6\u2023\uf0b7\u00b7|"
_SEPARATORS = ",;|\u2022\u00b7\u25aa\u25cf/"
_CATEGORY = Pattern(r"[ ]*[-*•·]?[ ]*\p{Lu}[\pL&/ -]{2,35}:[ ]*", ignore_case=False)
_LONGEST_SKILL, _MOST_WORDS = 50, 5
_LEVEL = Pattern(
    r"(?P<level>[abc][12](?:[^\pL0-9]|$)|native(?:[ ]speaker)?|mother[ ]tongue|bilingual|muttersprach\pL{0,4}|fluent|fließend|verhandlungssicher(?:[ ]in[ ]wort[ ]und[ ]schrift)?"
    r"|business[ ]fluent|professional(?:[ ]working)?(?:[ ]proficiency)?|advanced|upper[ ]intermediate|intermediate|conversational|basic|beginner|grundkenntnisse|sehr[ ]gut|gut|good|proficient|working[ ]knowledge)"
)


def skills(document: Document, _readings: Readings) -> Iterator[Candidate]:
    for piece in sections(document).get("skills", []):
        if _is_of_another_section(piece):
            continue
        for start, end in _items(piece):
            text = " ".join(piece.text[start:end].split())
            if 1 <= len(text) <= _LONGEST_SKILL and any(map(str.isalnum, text)) and len(text.split()) <= _MOST_WORDS:
                sure = 0.85 if len(text.split()) <= 3 else 0.6  # noqa: PLR2004 - longer ones are half sentences
                yield candidate(piece.page, piece.start + start, piece.start + end, text, sure, "skills")


def spoken(document: Document, _readings: Readings) -> Iterator[Candidate]:
    """All languages of the section are one value."""
    rows: list[dict[str, str]] = []
    cells: list[dict[str, Found]] = []
    for piece in sections(document).get("languages", []):
        named = languages.find(piece.text)
        for index, value in enumerate(named):
            if any(row["code"] == value.value for row in rows):
                continue
            end = named[index + 1].start if index + 1 < len(named) else len(piece.text)
            level = _LEVEL.search(plain(piece.text[value.end : end]))
            row = {"name": value.extra["name"], "code": value.value}
            places = dict.fromkeys(
                row, found(piece.page, piece.start + value.start, piece.start + value.end, "languages")
            )
            if level is not None:
                start = piece.start + value.end + level.start(1)
                written = (level["level"] or "").rstrip(" ),.;|")
                row["level"] = piece.page.text[start : start + len(written)]
                places["level"] = found(piece.page, start, start + len(written), "languages")
            rows.append(row)
            cells.append(places)
    if rows:
        yield Candidate(rows, 0.9, cells[0]["name"], {"cells": cells})


def _is_of_another_section(piece: Piece) -> bool:
    """`Interests: chess` below the skills. Languages may be those of programs."""
    return section_of(piece.text.partition(":")[0]) in {"other", "references"}


def _items(piece: Piece) -> Iterator[tuple[int, int]]:
    """Between separators that stand in no bracket: `Python (Django, Flask)` is one."""
    category = _CATEGORY.match(plain(piece.text))
    start = category.end() if category else 0
    depth = 0
    for place in range(start, len(piece.text)):
        character = piece.text[place]
        depth = max(0, depth + (character == "(") - (character == ")"))
        is_gap = piece.text[place : place + 2] == "  "
        if depth == 0 and (is_gap or (character in _SEPARATORS and not _is_inside(piece.text, place))):
            yield from _item(piece.text, start, place)
            start = place + 1
    yield from _item(piece.text, start, len(piece.text))


def _is_inside(text: str, place: int) -> bool:
    """CI/CD is one."""
    return text[place] == "/" and text[place - 1 : place].isalnum() and text[place + 1 : place + 2].isalnum()


def _item(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start] in _AROUND:
        start += 1
    while end > start and text[end - 1] in _AROUND:
        end -= 1
    if end > start:
        yield start, end

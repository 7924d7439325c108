"""The sections of a résumé: what stands below which heading, also where headings stand side by side."""

from collections.abc import Iterator
from dataclasses import dataclass

from weft.kit.extraction.document import Cell, Document, Line, Page
from weft.kit.extraction.folding import folded

TOP = "top"

_HEADINGS = {
    "experience": "experience|work experience|professional experience|employment history|employment|work history|career history|career|relevant experience"
    "|professional background|berufserfahrung|beruflicher werdegang|berufspraxis|berufliche erfahrung|berufliche stationen|werdegang|praktische erfahrung|experiencia|experience professionnelle",
    "education": "education|academic background|education and training|education & training|academic education|studies|ausbildung|studium|bildungsweg|schulbildung"
    "|akademische ausbildung|bildung|ausbildung und studium|studium und ausbildung|hochschulbildung|formation",
    "skills": "skills|technical skills|key skills|core skills|core competencies|technologies|tech stack|skills & tools|skills and tools|competencies|expertise"
    "|kenntnisse|fahigkeiten|it-kenntnisse|edv-kenntnisse|kompetenzen|fachkenntnisse|technische kenntnisse|kenntnisse und fahigkeiten|competences|programmierkenntnisse",
    "languages": "languages|language skills|spoken languages|sprachen|sprachkenntnisse|langues|idiomas",
    "references": "references|referees|referenzen",
    "other": "summary|profile|about|about me|objective|professional summary|personal statement|interests|hobbies|hobbies and interests|projects|personal projects"
    "|certifications|certificates|publications|awards|volunteering|training|courses|profil|kurzprofil|uber mich|interessen|hobbys|projekte|zertifikate"
    "|weiterbildung|weiterbildungen|ehrenamt|publikationen|auszeichnungen|sonstiges|praktika|honors|honours|military service|zivildienst|wehrdienst",
    TOP: "personal details|personal information|contact|contact details|contact information|personliche daten|kontakt|kontaktdaten|angaben zur person|zur person|personal data",
}
_SECTION_BY_HEADING = {heading: section for section, names in _HEADINGS.items() for heading in names.split("|")}
_LONGEST_HEADING = max(map(len, _SECTION_BY_HEADING)) * 2
_AROUND = " \t#*_:=-~|\u2013\u2014\u2022\u25aa\u25cf\u25a0.&"


@dataclass(frozen=True, slots=True)
class Piece:
    """A line of a section, or its part of a line that several sections share."""

    page: Page
    start: int
    text: str
    after_gap: bool
    """Whether an empty line stands before it."""

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def sections(document: Document) -> dict[str, list[Piece]]:
    """By what they are about; what stands before the first heading is the top."""
    found: dict[str, list[Piece]] = {}
    columns: list[tuple[int, str]] = [(0, TOP)]
    for page in document.pages:
        end = 0
        for line in page.lines:
            has_gap = page.text.count("\n", end, line.start) > 1
            end = line.end
            heads = [(cell, section) for cell in line.cells if (section := section_of(cell.text))]
            columns = _columns(columns, heads)
            for section, piece in _pieces(page, line, columns, {id(cell) for cell, _ in heads}, has_gap=has_gap):
                found.setdefault(section, []).append(piece)
    return found


def section_of(text: str) -> str | None:
    """The section that a text is the heading of."""
    if len(text) > _LONGEST_HEADING:
        return None
    name = folded(text).strip(_AROUND)
    words = name.split(" ")
    if len(words) > 3 and all(len(word) <= 1 for word in words):  # noqa: PLR2004 - S K I L L S
        name = "".join(words)
    return _SECTION_BY_HEADING.get(name)


def _columns(columns: list[tuple[int, str]], heads: list[tuple[Cell, str]]) -> list[tuple[int, str]]:
    if not heads:
        return columns
    if len(heads) > 1:
        return [(cell.left, section) for cell, section in heads]
    (cell, section), *_ = heads
    if len(columns) == 1:
        return [(0, section)]
    place = max((index for index, (left, _) in enumerate(columns) if left <= cell.left + 2), default=0)
    return [(left, section if index == place else other) for index, (left, other) in enumerate(columns)]


def _pieces(
    page: Page, line: Line, columns: list[tuple[int, str]], heads: set[int], *, has_gap: bool
) -> Iterator[tuple[str, Piece]]:
    cells = [cell for cell in line.cells if id(cell) not in heads]
    for index, (left, section) in enumerate(columns):
        right = columns[index + 1][0] if index + 1 < len(columns) else None
        own = [
            cell for cell in cells if (index == 0 or cell.left + 2 >= left) and (right is None or cell.left + 2 < right)
        ]
        if own:
            start, end = own[0].start, own[-1].end
            yield section, Piece(page, start, page.text[start:end], has_gap)

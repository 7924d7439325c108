"""Names of persons, by their shape: two to four words with capitals on a line of their own, or behind a form of address.

A guess, and never more than 0.6: a street, a product and a heading look the same.
"""

from collections.abc import Iterator

from weft.kit.extraction.values.found import FoundValue, without_overlaps
from weft.kit.extraction.values.text import Match, Pattern, plain

ADDRESSED, ON_ITS_OWN = 0.6, 0.45

_NAME = r"(?:\p{Lu}')?\p{Lu}(?:[\pL\pM]{1,24}|[.])(?:[-']\p{Lu}[\pL\pM]{1,24})?"
_PARTICLE = r"(?:von|van|de|der|den|di|da|del|della|dos|du|le|la|zu|zur|zum|bin|al|y|e)"
_FULL_NAME = rf"{_NAME}(?:[ ]{{1,2}}(?:{_PARTICLE}[ ]){{0,2}}{_NAME}){{1,3}}"
_TITLE = r"(?:(?:Dr|Prof|Ing|Dipl|Herr|Frau|Mr|Mrs|Ms|Sir|Dame|Monsieur|Madame|Sr|Sra|Dott|Avv|Herrn)[.]?[ -]?(?:Ing[.]|Inf[.])?[ ]?)"
_LINE = Pattern(
    rf"(?:^|\n)[ ]{{0,40}}(?P<title>{_TITLE}{{0,3}})(?P<name>{_FULL_NAME})[ ]{{0,40}}(?:,[^\n]{{0,40}})?(?:\n|$)",
    ignore_case=False,
)
_AFTER_TITLE = Pattern(rf"(?P<title>{_TITLE}{{1,3}})(?P<name>{_FULL_NAME})", ignore_case=False)
_OTHERS = """
    gmbh ag ug kg ohg ltd limited inc corp corporation llc llp plc company group holding holdings bank services solutions systems
    university universität college school institute hochschule invoice rechnung date datum total street road avenue straße strasse
    platz allee weg curriculum vitae resume résumé lebenslauf profile profil experience education skills contact summary employment
    work history professional berufserfahrung ausbildung kenntnisse sprachen languages agreement contract vertrag project projects
    engineer developer manager consultant analyst designer director senior junior lead software data product marketing sales
    entwickler berater leiter entwicklerin beraterin page seite new york san los angeles united kingdom states north south the and
    for technical personal references interests certifications technologies the key core
"""
_NOT_A_PERSON = frozenset(_OTHERS.split())


def find(text: str) -> list[FoundValue]:
    text = plain(text)
    return without_overlaps([*_on_lines(text), *_addressed(text)])


def _on_lines(text: str) -> Iterator[FoundValue]:
    offset = 0
    for line in text.split("\n"):
        match = _LINE.match(line[:160])
        if match is not None and is_possible(match["name"] or ""):
            yield _found(match, offset, ADDRESSED if match["title"] else ON_ITS_OWN)
        offset += len(line) + 1


def _addressed(text: str) -> Iterator[FoundValue]:
    for match in _AFTER_TITLE.finditer(text):
        if is_possible(match["name"] or "") and not text[match.start() - 1 : match.start()].isalnum():
            yield _found(match, 0, ADDRESSED)


def _found(match: Match, offset: int, confidence: float) -> FoundValue:
    name = " ".join((match["name"] or "").split())
    title = (match["title"] or "").strip()
    return FoundValue(
        name, offset + match.start(2), offset + match.end(2), confidence, {"title": title} if title else {}
    )


def is_possible(name: str) -> bool:
    """Whether no word of it says that it is something else."""
    words = name.replace("-", " ").split()
    return len(words) > 1 and not any(word.casefold().strip(".") in _NOT_A_PERSON for word in words)

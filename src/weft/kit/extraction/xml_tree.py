"""XML of strangers as a small tree: no document types, so no entities and nothing fetched; bounded in size and depth."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

MOST_CHARACTERS = 10_000_000
MOST_ELEMENTS = 100_000
DEEPEST = 64


class BadXmlError(ValueError):
    """It is no XML that is read here; the text says why."""


@dataclass(slots=True)
class Element:
    name: str
    """Without its namespace."""
    attributes: dict[str, str]
    children: list["Element"] = field(default_factory=list["Element"])
    pieces: list[str] = field(default_factory=list[str])
    offset: int = 0
    """Of its first text, in bytes of UTF-8."""

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def find_all(self, path: str) -> Iterator["Element"]:
        """The elements at a path of names, as `SellerTradeParty/Name`."""
        first, _, rest = path.partition("/")
        for child in self.children:
            if child.name == first:
                if rest:
                    yield from child.find_all(rest)
                else:
                    yield child


def read_xml(text: str) -> Element:
    """Raises BadXmlError."""
    if len(text) > MOST_CHARACTERS:
        raise BadXmlError(f"The XML has more than {MOST_CHARACTERS:,} characters.")
    reader = _Reader()
    try:
        reader.parser.Parse(text.encode(errors="replace"), True)
    except expat.ExpatError as error:
        raise BadXmlError(f"The XML is not well formed: {error}.") from error
    return reader.root.children[0]


class _Reader:
    def __init__(self) -> None:
        # The text was decoded already, whatever the XML says of its encoding.
        self.parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.root = Element("", {})
        self._open = [self.root]
        self._count = 0

    def _refuse(self, name: str, system_id: str | None, public_id: str | None, has_subset: bool) -> None:
        del name, system_id, public_id, has_subset
        raise BadXmlError("XML with a document type is not read: its entities could stand for anything.")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS or len(self._open) > DEEPEST:
            raise BadXmlError("The XML has too many elements, or they are nested too deeply.")
        element = Element(name.rpartition(" ")[2], attributes)
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, name: str) -> None:
        del name
        self._open.pop()

    def _text(self, data: str) -> None:
        element = self._open[-1]
        if not element.pieces:
            element.offset = self.parser.CurrentByteIndex
        element.pieces.append(data)

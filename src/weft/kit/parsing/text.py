"""Plain text, and XML as it is written."""

from weft.kit.parsing.decoding import decoded
from weft.kit.parsing.formats import Format
from weft.kit.parsing.parsed import Page, Parsed, Wanted
from weft.kit.parsing.source import Source


def parse(source: Source, wanted: Wanted, found: Format) -> Parsed:
    text, encoding, truncated = written(source, wanted)
    return Parsed(found.name, found.mime_type, [Page(1, text)], metadata={"encoding": encoding}, truncated=truncated)


def written(source: Source, wanted: Wanted) -> tuple[str, str, bool]:
    """The text, its encoding, and whether something was left out."""
    content = source.head(wanted.limits.markup_bytes)
    text, encoding = decoded(content)
    most = wanted.limits.characters
    return text[:most], encoding, len(text) > most or source.size > len(content)

"""Markdown: text that is its own Markdown."""

import re

from weft.kit.parsing.formats import Format
from weft.kit.parsing.parsed import Page, Parsed, Wanted
from weft.kit.parsing.source import Source
from weft.kit.parsing.text import written

_HEADING = re.compile(r"^# (.{1,500})", re.MULTILINE)


def parse(source: Source, wanted: Wanted, found: Format) -> Parsed:
    text, encoding, truncated = written(source, wanted)
    metadata = {"encoding": encoding}
    if (heading := _HEADING.search(text)) is not None:
        metadata["title"] = heading[1].rstrip(" #").strip()
    return Parsed(found.name, found.mime_type, [Page(1, text)], markdown=text, metadata=metadata, truncated=truncated)

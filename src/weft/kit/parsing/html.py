"""HTML by selectolax: its text as a reader sees it, its headings, lists and tables as Markdown."""

import re
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from weft.kit.parsing.decoding import decoded
from weft.kit.parsing.formats import Format
from weft.kit.parsing.html_walk import Walk
from weft.kit.parsing.parsed import Page, Parsed, Wanted
from weft.kit.parsing.source import Source
from weft.kit.parsing.writing import Writing

_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{2,40})""", re.IGNORECASE)
_NOT_SEEN = ["script", "style", "noscript", "template", "svg", "iframe", "object"]
_NAMES = {"author": "author", "description": "subject", "keywords": "keywords"}
_LONGEST_VALUE = 1_000


def parse(source: Source, wanted: Wanted, found: Format) -> Parsed:
    content = source.head(wanted.limits.markup_bytes)
    declared = _CHARSET.search(content[:4096])
    text, encoding = decoded(content, declared[1].decode("ascii") if declared else None)
    parser = LexborHTMLParser(text)
    metadata = _metadata(parser) | {"encoding": encoding}
    writing = written(parser, wanted)
    return Parsed(
        found.name,
        found.mime_type,
        [Page(1, writing.text)],
        markdown=writing.markdown,
        tables=writing.tables,
        metadata=metadata,
        truncated=writing.truncated or source.size > len(content),
    )


def written(parser: LexborHTMLParser, wanted: Wanted) -> Writing:
    parser.strip_tags(_NOT_SEEN)
    writing = Writing(wanted.limits)
    root = parser.body or parser.root
    if root is not None:
        Walk(writing).over(root)
    return writing


def _metadata(parser: LexborHTMLParser) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if (title := parser.css_first("title")) is not None:
        found["title"] = " ".join(title.text().split())[:_LONGEST_VALUE]
    root = parser.root
    if root is not None and (language := root.attributes.get("lang")):
        found["language"] = language[:50]
    for meta in parser.css("meta[name]"):
        name = _NAMES.get((_attribute(meta, "name") or "").lower())
        if name is not None and (value := _attribute(meta, "content")):
            found.setdefault(name, value[:_LONGEST_VALUE])
    return {name: value for name, value in found.items() if value}


def _attribute(node: LexborNode, name: str) -> str | None:
    return node.attributes.get(name)

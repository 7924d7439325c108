"""Formats that are text."""

import codecs
import re
from pathlib import Path

import orjson

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
"""What no text holds: all controls but tabs, line and page breaks, and the escape of some encodings."""
_MOST_JSON_BYTES = 32 * 1024 * 1024
_JSON_LINES = 20
# Possessive throughout: no text makes it go back.
_COMMENTS = r"(?:<!--.*?-->\s*+)*+"
_PREAMBLE = re.compile(
    rf"(?:<\?xml[^>]*+>\s*+)?+{_COMMENTS}(?:<!doctype\s++([\w:.-]++)[^>]*+>\s*+)?+{_COMMENTS}",
    re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(r"<([A-Za-z_][\w:.-]*)[\s/>]")
_HTML_TAGS = re.compile(
    "html|head|body|title|meta|link|script|style|div|span|p|a|table|ul|ol|h[1-6]|br|hr|img|form|section|article|main"
    "|header|footer|nav|center|font|b|i|em|strong|pre|blockquote|dl"
)
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]*):[ \t]?")
_MAIL_FIELDS = re.compile(
    "from|to|cc|subject|date|received|message-id|mime-version|return-path|delivered-to|reply-to|content-type"
    "|dkim-signature|x-mailer|sender|in-reply-to|references"
)
_FIELDS_OF_A_MAIL = 3


def decoded(head: bytes, *, whole: bool) -> str | None:
    """The beginning of a text, or None where it is none. `whole`: there is no more of it."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return head[len(mark) :].decode(encoding, "replace")
    if (encoding := _wide(head)) is not None:
        return head.decode(encoding, "replace")
    if _CONTROLS.search(head):
        return None
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(head, final=whole)
    except UnicodeDecodeError:
        return None


def decoded_by_bytes(head: bytes) -> str | None:
    """In one of the encodings with a byte per letter: which one is for those to find out who read the text."""
    return None if _CONTROLS.search(head) else head.decode("latin-1")


def _wide(head: bytes) -> str | None:
    """UTF-16 without its mark: every other byte of what is mostly ASCII is zero."""
    half = len(head) // 2
    for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        others = head[0::2] if encoding == "utf-16-le" else head[1::2]
        if half and zeros.count(0) > half * 0.9 and not _CONTROLS.search(others):
            return encoding
    return None


def text_type(head: str, path: Path) -> str:
    start = head.lstrip("\ufeff \t\r\n")
    if start.startswith("<"):
        return _markup_type(start)
    if start.startswith(("{", "[")) and (found := _json_type(start, path)) is not None:
        return found
    return "message/rfc822" if _is_mail(start) else "text/plain"


def _markup_type(start: str) -> str:
    preamble = _PREAMBLE.match(start)
    behind = start[preamble.end() :] if preamble else start
    declared = (preamble[1] or "").lower() if preamble else ""
    tag = _TAG.match(behind)
    root = tag[1].rpartition(":")[2].lower() if tag else ""
    if start.startswith("<?xml"):
        return {"html": "application/xhtml+xml", "svg": "image/svg+xml"}.get(root, "application/xml")
    if declared == "html" or _HTML_TAGS.fullmatch(root):
        return "text/html"
    if root == "svg":
        return "image/svg+xml"
    return "application/xml" if tag and ("</" in behind or "/>" in behind) else "text/plain"


def _json_type(start: str, path: Path) -> str | None:
    if path.stat().st_size > _MOST_JSON_BYTES:
        return _json_lines(start)
    content = path.read_bytes()
    encoding = next((encoding for mark, encoding in _MARKS.items() if content.startswith(mark)), None)
    try:
        orjson.loads(content if encoding is None else content.decode(encoding).lstrip("\ufeff"))
    except (orjson.JSONDecodeError, UnicodeDecodeError):
        return _json_lines(start)
    return "application/json"


def _json_lines(start: str) -> str | None:
    lines = [line for line in start.split("\n")[:-1] if line.strip()][:_JSON_LINES]
    if len(lines) < 2:  # noqa: PLR2004 - one line would be JSON
        return None
    try:
        for line in lines:
            orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return "application/x-ndjson"


def _is_mail(start: str) -> bool:
    """Whether it begins with the fields of a message (RFC 5322) and nothing else stands among them."""
    found: set[str] = set()
    for line in start.split("\n")[:200]:
        if not line.strip():
            break
        if line[0] in " \t":
            continue
        field = _FIELD.match(line)
        if field is None:
            return False
        found.add(field[1].lower())
    return sum(_MAIL_FIELDS.fullmatch(name) is not None for name in found) >= _FIELDS_OF_A_MAIL

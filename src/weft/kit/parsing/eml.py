"""E-mail as it is sent (RFC 822): its headers, its text, and the files it carries."""

import contextlib
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from typing import Any, cast

from selectolax.lexbor import LexborHTMLParser

from weft.kit.parsing.attached import Attached, attachments_of
from weft.kit.parsing.cleaning import clean
from weft.kit.parsing.decoding import decoded
from weft.kit.parsing.formats import Format
from weft.kit.parsing.html import written
from weft.kit.parsing.parsed import Page, Parsed, Wanted
from weft.kit.parsing.source import Source
from weft.kit.parsing.writing import Writing

_SHOWN = ("From", "To", "Cc", "Subject", "Date")
MOST_PARTS = 1_000
LONGEST_HEADER = 2_000


def parse(source: Source, wanted: Wanted, found: Format) -> Parsed:
    content = source.head(wanted.limits.markup_bytes)
    message = BytesParser(policy=policy.default).parsebytes(content)
    headers = {name: value for name in _SHOWN if (value := _header(message, name))}
    plain: list[str] = []
    html: list[str] = []
    files: list[Attached] = []
    whole = True
    for number, part in enumerate(_parts(message)):
        if number == MOST_PARTS or len(files) == wanted.limits.attachments:
            whole = False
            break
        _sort(part, plain, html, files)
    body, written_as = _body(plain, html, wanted)
    head = "\n".join(f"{name}: {value}" for name, value in headers.items())
    subject = headers.get("Subject", "")
    told = "\n".join(f"- **{name}:** {value}" for name, value in headers.items() if name != "Subject")
    attachments, all_there = attachments_of(files, source, wanted)
    text = f"{head}\n\n{body}".strip()
    return Parsed(
        found.name,
        found.mime_type,
        [Page(1, text)],
        markdown="\n\n".join(part for part in (f"# {subject}" if subject else "", told, written_as.markdown) if part),
        tables=written_as.tables,
        attachments=attachments,
        metadata=_metadata(message, headers),
        truncated=not (whole and all_there) or written_as.truncated or source.size > len(content),
    )


def _body(plain: list[str], html: list[str], wanted: Wanted) -> tuple[str, Writing]:
    """The text as it was written, and what its Markdown and tables are taken from: HTML where there is any."""
    if html:
        writing = written(LexborHTMLParser("\n".join(html)), wanted)
    else:
        writing = Writing(wanted.limits)
        writing.paragraph("\n\n".join(plain))
    text = clean("\n\n".join(plain)).strip() or writing.text
    return text[: wanted.limits.characters], writing


def _parts(message: Message) -> Iterator[Message]:
    """The leaves, in order. A mail within the mail is a leaf."""
    waiting: list[Message] = [message]
    while waiting:
        part = waiting.pop()
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            waiting += reversed(cast("list[Message]", part.get_payload()))
        else:
            yield part


def _sort(part: Message, plain: list[str], html: list[str], files: list[Attached]) -> None:
    kind = part.get_content_type()
    name = _file_name(part)
    if kind == "message/rfc822":
        inner = cast("list[Message]", part.get_payload())[:1] if part.is_multipart() else []
        for message in inner:
            subject = name or _header(message, "Subject") or "message"
            files.append(Attached(subject if name else f"{subject}.eml", kind, message.as_bytes()))
        return
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    if name or part.get_content_disposition() == "attachment" or kind not in {"text/plain", "text/html"}:
        files.append(Attached(name or f"unnamed.{part.get_content_subtype()}", kind, content))
        return
    text = decoded(content, part.get_content_charset()).text
    (html if kind == "text/html" else plain).append(text)


def _file_name(part: Message) -> str:
    try:
        return clean(part.get_filename() or "")[:LONGEST_HEADER]
    except Exception:  # noqa: BLE001 - the header parsers of the standard library raise many things on broken headers
        return ""


def _header(message: Message, name: str) -> str:
    try:
        value = str(message.get(name, ""))
    except Exception:  # noqa: BLE001 - the header parsers of the standard library raise many things on broken headers
        raw = next((value for key, value in message.raw_items() if key.lower() == name.lower()), "")
        value = str(raw)
    return " ".join(clean(value).split())[:LONGEST_HEADER]


def _metadata(message: EmailMessage, headers: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {name.lower(): value for name, value in headers.items()}
    names = {
        "title": headers.get("Subject"),
        "author": headers.get("From"),
        "messageId": _header(message, "Message-ID"),
    }
    found |= {name: value for name, value in names.items() if value}
    with contextlib.suppress(KeyError, ValueError, TypeError, IndexError, OverflowError):
        found["createdAt"] = parsedate_to_datetime(headers["Date"]).isoformat()
    return found

"""What the answers of HTTP services say beyond their body: as text, and how long to leave them alone."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from weft.domain.outside import HttpReply

LONGEST_WAIT = timedelta(hours=1)
"""A receiver may ask for less, not for more: nothing must wait for ever on a stranger's word."""


def wait_of(reply: HttpReply) -> timedelta | None:
    """`Retry-After` is a number of seconds or a date (RFC 9110, 10.2.3)."""
    text = reply.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), LONGEST_WAIT.total_seconds()))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return min(max(moment - datetime.now(UTC), timedelta(0)), LONGEST_WAIT)


def text_of(reply: HttpReply) -> str:
    """In the charset the answer names, else UTF-8. NUL is replaced: no database takes it in a text."""
    declared = reply.headers.get("content-type", "").lower().partition("charset=")[2].partition(";")[0].strip("\"' ")
    try:
        text = reply.body.decode(declared or "utf-8", errors="replace")
    except (LookupError, ValueError):
        text = reply.body.decode(errors="replace")
    return text.replace("\x00", "\ufffd")

"""What the answers of HTTP services say beyond their body: as text, and how long to leave them alone."""

from datetime import timedelta

from weft.domain.outside import HttpReply
from weft.kit.retry_after import retry_after

LONGEST_WAIT = timedelta(hours=1)
"""A receiver may ask for less, not for more: nothing must wait for ever on a stranger's word."""


def wait_of(reply: HttpReply) -> timedelta | None:
    return retry_after(reply.headers.get("retry-after", ""), LONGEST_WAIT)


def text_of(reply: HttpReply) -> str:
    """In the charset the answer names, else UTF-8. NUL is replaced: no database takes it in a text."""
    declared = reply.headers.get("content-type", "").lower().partition("charset=")[2].partition(";")[0].strip("\"' ")
    try:
        text = reply.body.decode(declared or "utf-8", errors="replace")
    except (LookupError, ValueError):
        text = reply.body.decode(errors="replace")
    return text.replace("\x00", "\ufffd")

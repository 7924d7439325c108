"""The header `Retry-After`: a number of seconds, or a date (RFC 9110, 10.2.3)."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime


def retry_after(written: str, longest: timedelta) -> timedelta | None:
    """The pause that a receiver asks for, at most `longest`; None where it asks for none that can be read."""
    text = written.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), longest.total_seconds()))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter where a year or a zone has twenty digits
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return min(max(moment - datetime.now(UTC), timedelta()), longest)

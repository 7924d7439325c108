"""Identifiers: UUID version 7 (RFC 9562), so that rows sort by creation and indexes grow at one end."""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

__all__ = ["LAST_ID", "UUID", "first_id_at", "id_in", "new_id"]

LAST_ID = UUID(int=2**128 - 1)
"""Above every other."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_VERSION_7 = 0x7000_8000_0000_0000_0000
_LATEST = 2**48 - 1


def new_id() -> UUID:
    return uuid7()


def first_id_at(moment: datetime, later: timedelta = timedelta()) -> UUID:
    """Below every id that was made in that millisecond or later, above those made before. So much `later` than the moment
    may be beyond what a date can be.
    """
    milliseconds = min(max((moment - _EPOCH + later) // _MILLISECOND, 0), _LATEST)
    return UUID(int=milliseconds << 80 | _VERSION_7)


def id_in(reference: str, kind: str) -> UUID | None:
    """The id that a reference spells, plainly or as the API does (base64 of `<kind>:<id>`); None for a name."""
    try:
        return UUID(reference)
    except ValueError:
        pass
    try:
        padded = reference + "=" * (-len(reference) % 4)
        type_name, _, key = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition(":")
        return UUID(key) if type_name == kind else None
    except (binascii.Error, ValueError):
        return None

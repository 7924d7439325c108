"""Identifiers: UUID version 7 (RFC 9562), so that rows sort by creation and indexes grow at one end."""

from uuid import UUID

from uuid_utils.compat import uuid7

__all__ = ["UUID", "new_id"]


def new_id() -> UUID:
    return uuid7()

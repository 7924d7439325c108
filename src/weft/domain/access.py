"""Who is asking, and what they may do."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from weft.domain.errors import Forbidden
from weft.domain.ids import UUID


class Role(StrEnum):
    """Each role may do what those before it may, and more."""

    VIEWER = "VIEWER"
    RUNNER = "RUNNER"
    EDITOR = "EDITOR"
    ADMIN = "ADMIN"

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    def may(self, needed: "Role") -> bool:
        return self.rank >= needed.rank


@dataclass(frozen=True, slots=True)
class ApiKey:
    id: UUID
    workspace_id: UUID
    name: str
    role: Role
    prefix: str
    """The first characters of the key, to recognise it by. The key itself is never stored."""
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    rate_limit: int | None
    """Operations a minute; None for as many as the server allows any key."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """The caller of one request: an API key, its workspace and role, and where it called from."""

    workspace_id: UUID
    key_id: UUID
    key_name: str
    role: Role
    address: str | None = None
    rate_limit: int | None = None
    """Of the key, as `ApiKey` has it."""

    def need(self, role: Role) -> None:
        if not self.role.may(role):
            raise Forbidden(f"This needs the role {role}; the API key {self.key_name!r} has the role {self.role}.")

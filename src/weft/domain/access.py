"""Who is asking, and what they may do."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from weft.domain.errors import Forbidden, NotShared
from weft.domain.ids import UUID


class Role(StrEnum):
    """What an API key may do. Each role may do what those before it may, and more.

    VIEWER: Reads the workspace: workflows, runs, entities, files, logs. Changes nothing but its own ratings.
    RUNNER: Also starts, retries, pauses, resumes and cancels runs, emits events, and sends messages again.
    EDITOR: Also makes, changes and deletes workflows, entities, files, schedules, triggers and integrations.
    ADMIN: Also manages API keys, model providers and datastores, and reads the audit log.
    """

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


class Anyone(Viewer):
    """Whoever has this role in this workspace: the caller where one answer is made for several.

    It knows nothing else of a viewer. An answer that asks for more, even for the name of the key in an error message,
    depends on who asks: it gets NotShared, and `is_personal` says so from then on.
    """

    __slots__ = ("is_personal",)

    def __init__(self, workspace_id: UUID, role: Role) -> None:
        for name, value in (("workspace_id", workspace_id), ("role", role), ("is_personal", False)):
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        """Called for what was never set, which is all that `Viewer` has beside these."""
        object.__setattr__(self, "is_personal", True)
        raise NotShared

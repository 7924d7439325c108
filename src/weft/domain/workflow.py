"""Workflows, their immutable versions, and templates to start from."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from weft.domain.ids import UUID


class WorkflowStatus(StrEnum):
    """Whether a workflow can be run.

    DRAFT: Not yet: it is being written. Its definition is checked all the same.
    ACTIVE: It can be run, and triggers may start it while it is `enabled`.
    ARCHIVED: No longer: it is kept for its runs, and can be made ACTIVE again.
    """

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"


@dataclass(frozen=True, slots=True)
class Workflow:
    id: UUID
    workspace_id: UUID
    name: str
    description: str
    category: str | None
    entity_type_id: UUID | None
    """The type it works on; None for a workflow that runs on its input alone."""
    status: WorkflowStatus
    enabled: bool
    """Whether triggers may start it; runs by hand need only ACTIVE."""
    public: bool
    version_id: UUID
    version_number: int
    steps_count: int
    copied_from: UUID | None
    """The workflow that it was made of, which may be gone, or no longer be seen from here."""
    created_by: str
    """The name of the API key that made it."""
    created_at: datetime
    updated_at: datetime
    last_run_at: datetime | None

    def is_of(self, workspace_id: UUID) -> bool:
        return self.workspace_id == workspace_id

    def seen_from(self, workspace_id: UUID) -> "Workflow":
        """What another workspace sees of a public workflow: not what its owners do with it, and when."""
        return self if self.is_of(workspace_id) else replace(self, enabled=False, last_run_at=None)


class WorkflowOrder(StrEnum):
    """What a list of workflows is sorted by.

    CREATED_AT: When it was made.
    NAME: Its name, upper and lower case alike.
    USAGE_COUNT: How often it was run and copied: `usageCount`.
    RATING: The average of its ratings.
    LAST_RUN_AT: When it was last run.
    """

    CREATED_AT = "CREATED_AT"
    NAME = "NAME"
    USAGE_COUNT = "USAGE_COUNT"
    RATING = "RATING"
    LAST_RUN_AT = "LAST_RUN_AT"


@dataclass(frozen=True, slots=True)
class WorkflowVersion:
    id: UUID
    workspace_id: UUID
    workflow_id: UUID
    number: int
    definition: dict[str, Any]
    """In the canonical spelling: steps, each with its id, type, config and dependsOn."""
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Template:
    """A definition offered as a starting point. Built-in ones belong to no workspace and have their slug as id."""

    id: str
    workspace_id: UUID | None
    name: str
    description: str
    category: str
    definition: dict[str, Any]
    entity_schema: dict[str, Any] | None
    """The shape of entities it expects; None when it runs on its input alone."""
    parameters_schema: dict[str, Any] | None
    """What `createWorkflowFromTemplate(parameters)` takes: each is put in where the definition says `{"$parameter": name}`."""
    created_at: datetime | None

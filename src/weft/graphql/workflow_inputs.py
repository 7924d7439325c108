"""What workflows are made and changed with."""

import strawberry
from strawberry.scalars import JSON

from weft.domain.workflow import WorkflowStatus

TRIGGERS = (
    "A list of triggers, in place of those in the definition: "
    '`[{"event": "document.uploaded", "filter": {"mimeType": "image/*"}}]`. `eventTypes` lists the events. '
    "For a workflow over entities the payload, or `input`, has to have `entityId` or `entityIds`."
)


@strawberry.input
class CreateWorkflowInput:
    name: str
    definition: JSON = strawberry.field(description="Steps, or nodes with connections.")
    description: str = ""
    category: str | None = None
    triggers: JSON | None = strawberry.field(default=None, description=TRIGGERS)
    entity_type_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="What it works on. Left out, it works on documents (the built-in type) where it listens to `document.uploaded` "
        "or `document.processed` and has no `inputSchema`, and otherwise runs on its input alone.",
    )
    status: WorkflowStatus = WorkflowStatus.ACTIVE
    enabled: bool = True
    public: bool = strawberry.field(
        default=False,
        description="Shows its definition to every workspace while it is ACTIVE: it must hold no secrets.",
    )


@strawberry.input(description="What is left out stays as it is.")
class UpdateWorkflowInput:
    id: strawberry.ID
    name: str | None = None
    definition: JSON | None = strawberry.field(
        default=None, description="Makes the next version. Where it says nothing of triggers, they stay as they are."
    )
    triggers: JSON | None = strawberry.field(
        default=None, description=f"{TRIGGERS} Makes the next version; an empty list takes all away."
    )
    description: str | None = None
    category: str | None = strawberry.field(default=None, description="An empty text takes it away.")
    entity_type_id: strawberry.ID | None = strawberry.field(
        default=None, description="Another EntityType that it works on from now on; the definition has to fit it."
    )
    status: WorkflowStatus | None = None
    enabled: bool | None = None
    public: bool | None = None
    expected_version: int | None = strawberry.field(
        default=None, description="Refused with CONFLICT when the current version has another number by now."
    )


@strawberry.input
class ValidateWorkflowInput:
    definition: JSON = strawberry.field(description="What would be saved: steps, or nodes with connections.")
    triggers: JSON | None = strawberry.field(default=None, description=TRIGGERS)
    entity_type_id: strawberry.ID | None = strawberry.field(
        default=None, description="What it would work on. Left out, what `createWorkflow` would take."
    )


@strawberry.input
class WorkflowIdInput:
    id: strawberry.ID

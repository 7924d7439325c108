"""Which workflows a list has, and in which order."""

import strawberry

from weft.domain.page import Direction
from weft.domain.workflow import WorkflowOrder, WorkflowStatus
from weft.graphql.nodes import read_optional_id
from weft.storage.workflow_lists import NEWEST_FIRST, Sorting, WorkflowFilter


@strawberry.input(description="All that are given must hold.")
class WorkflowFilterInput:
    status: WorkflowStatus | None = strawberry.field(default=None, description="Only those with this status.")
    category: str | None = strawberry.field(default=None, description="Only those of this category, to the letter.")
    public: bool | None = strawberry.field(
        default=None,
        description="True: the public ones of this workspace, and those of all others that are ACTIVE. False: those of this "
        "workspace that are not public. Left out: all of this workspace.",
    )
    entity_type_id: strawberry.ID | None = None
    search: str | None = strawberry.field(default=None, description="Part of the name or the description.")


def read_workflow_filter(given: WorkflowFilterInput | None) -> WorkflowFilter:
    if given is None:
        return WorkflowFilter()
    return WorkflowFilter(
        status=given.status,
        category=given.category,
        public=given.public,
        entity_type_id=read_optional_id(given.entity_type_id, "EntityType", "filter", "entityTypeId"),
        search=given.search,
    )


@strawberry.input(description="How a list of workflows is sorted.")
class WorkflowOrderInput:
    field: WorkflowOrder = strawberry.field(
        description="Equals stand in the order in which they were made. What was never run or rated is below all others, and "
        "so is every workflow of another workspace where the time of the last run counts."
    )
    direction: Direction | None = strawberry.field(
        default=None, description="Left out: names from A, all else from the top."
    )


def read_sorting(given: WorkflowOrderInput | None) -> Sorting:
    if given is None:
        return NEWEST_FIRST
    usual = Direction.ASC if given.field is WorkflowOrder.NAME else Direction.DESC
    return Sorting(given.field, given.direction or usual)

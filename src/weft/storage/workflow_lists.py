"""Lists of workflows: of a workspace, and of all that are public."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Text, and_, case, cast, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.errors import Invalid
from weft.domain.ids import UUID
from weft.domain.page import Direction, Page, PageRequest
from weft.domain.sharing import CategoryCount
from weft.domain.workflow import Workflow, WorkflowOrder, WorkflowStatus
from weft.storage.public_workflows import visible_to
from weft.storage.tables import Id, workflow, workflow_stats
from weft.storage.workflows import COLUMNS, workflow_of


@dataclass(frozen=True, slots=True)
class WorkflowFilter:
    """All that is given holds."""

    status: WorkflowStatus | None = None
    category: str | None = None
    public: bool | None = None
    """True also finds those of other workspaces that are ACTIVE; otherwise the list is of the workspace alone."""
    entity_type_id: UUID | None = None
    search: str | None = None
    """Part of the name or the description, case ignored."""


@dataclass(frozen=True, slots=True)
class Sorting:
    by: WorkflowOrder = WorkflowOrder.CREATED_AT
    direction: Direction = Direction.DESC


NEWEST_FIRST = Sorting()
MOST_DIGITS = 18
"""Of a number in a cursor: all that a bigint surely holds."""


async def page(
    connection: AsyncConnection,
    workspace_id: UUID,
    wanted: WorkflowFilter,
    request: PageRequest,
    sorting: Sorting = NEWEST_FIRST,
) -> Page[Workflow]:
    conditions = _conditions(workspace_id, wanted)
    total = await connection.scalar(select(func.count()).select_from(workflow).where(conditions))
    sorted_by = _sort_key(sorting.by, workspace_id)
    query = select(*COLUMNS, sorted_by.label("sort_key")).where(conditions)
    rows = (await connection.execute(_cut(query, sorted_by, sorting, request))).mappings().all()
    keys = {row["id"]: _key(sorting, row["id"], row["sort_key"]) for row in rows}
    found = [workflow_of(row) for row in rows]
    return Page[Workflow].of(found, request.first, lambda one: keys[one.id], total)


async def categories(
    connection: AsyncConnection, workspace_id: UUID, wanted: WorkflowFilter, most: int
) -> list[CategoryCount]:
    """Of the workflows that the list of the same filter has; the fullest first."""
    rows = await connection.execute(
        select(workflow.c.category, func.count().label("count"))
        .where(_conditions(workspace_id, wanted), workflow.c.category.is_not(None))
        .group_by(workflow.c.category)
        .order_by(func.count().desc(), workflow.c.category)
        .limit(most)
    )
    return [CategoryCount(row.category, int(row[1])) for row in rows]


def _stat(expression: ColumnElement[Any]) -> ColumnElement[Any]:
    counted = select(cast(func.coalesce(expression, 0), BigInteger)).where(
        workflow_stats.c.workflow_id == workflow.c.id
    )
    return counted.correlate(workflow).scalar_subquery()


_STARS, _RATINGS = func.sum(workflow_stats.c.stars), func.sum(workflow_stats.c.ratings)

_LAST_RUN = func.extract("epoch", func.max(workflow_stats.c.last_run_at)) * 1_000_000


def _sort_key(by: WorkflowOrder, workspace_id: UUID) -> ColumnElement[Any]:
    """A number or a text, so that it can stand in a cursor. What was never rated or run is below all that was."""
    match by:
        case WorkflowOrder.CREATED_AT:
            return literal(0)
        case WorkflowOrder.NAME:
            return func.lower(workflow.c.name)
        case WorkflowOrder.USAGE_COUNT:
            return _stat(func.sum(workflow_stats.c.runs_total + workflow_stats.c.copies))
        case WorkflowOrder.RATING:
            # As `rating_in_tenths` of the domain.
            return _stat(func.div(20 * _STARS + _RATINGS, func.nullif(2 * _RATINGS, 0)))
        case WorkflowOrder.LAST_RUN_AT:
            # When others run theirs is not shown, so it must not be told by the order either.
            return case((workflow.c.workspace_id == workspace_id, _stat(_LAST_RUN)), else_=0)


def _cut(query: Select[Any], sorted_by: ColumnElement[Any], sorting: Sorting, request: PageRequest) -> Select[Any]:
    """The rows of the page and one more. Ids rise with the time of creation, and decide between equals."""
    descending = sorting.direction is Direction.DESC
    place = (workflow.c.id,) if sorting.by is WorkflowOrder.CREATED_AT else (sorted_by, workflow.c.id)
    if request.after is not None:
        after = tuple_(*_place(sorting, request.after))
        query = query.where(tuple_(*place) < after if descending else tuple_(*place) > after)
    return query.order_by(*(part.desc() if descending else part for part in place)).limit(request.first + 1)


def _key(sorting: Sorting, workflow_id: UUID, value: Any) -> str:
    if sorting.by is WorkflowOrder.CREATED_AT:
        return str(workflow_id)
    return f"{sorting.by}:{workflow_id}:{value}"


def _place(sorting: Sorting, key: str) -> tuple[ColumnElement[Any], ...]:
    """The place in the list that a key of it names. A list that is sorted otherwise has other keys."""
    try:
        if sorting.by is WorkflowOrder.CREATED_AT:
            return (literal(UUID(key), Id),)
        by, workflow_id, value = key.split(":", 2)
        if by == sorting.by:
            at = literal(value, Text) if sorting.by is WorkflowOrder.NAME else literal(_number(value), BigInteger)
            return (at, literal(UUID(workflow_id), Id))
    except ValueError:
        pass
    raise Invalid("This is not a cursor of this list.", path=("after",), hint="Keep `orderBy` from page to page.")


def _number(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError("more than a bigint holds")
    return int(text)


def _conditions(workspace_id: UUID, wanted: WorkflowFilter) -> ColumnElement[bool]:
    seen = visible_to(workspace_id) if wanted.public else workflow.c.workspace_id == workspace_id
    conditions: list[ColumnElement[bool]] = [seen]
    if wanted.public is not None:
        conditions.append(workflow.c.public if wanted.public else ~workflow.c.public)
    if wanted.status is not None:
        conditions.append(workflow.c.status == wanted.status.value)
    if wanted.category is not None:
        conditions.append(workflow.c.category == wanted.category)
    if wanted.entity_type_id is not None:
        conditions.append(workflow.c.entity_type_id == wanted.entity_type_id)
    if wanted.search:
        found_in = (workflow.c.name, workflow.c.description)
        conditions.append(or_(*(column.icontains(wanted.search, autoescape=True) for column in found_in)))
    return and_(*conditions)

"""Operations as the schema executes them, below any transport."""

from typing import Any

from weft.domain.access import Viewer
from weft.graphql.context import Context
from weft.graphql.schema import WeftSchema
from weft.operations.services import Services

_schema = WeftSchema()


async def ask(services: Services, caller: Viewer, document: str, **variables: Any) -> dict[str, Any]:
    """The data of an answer without top-level errors."""
    data, errors = await ask_anything(services, caller, document, **variables)
    assert errors == []
    return data


async def ask_anything(
    services: Services, caller: Viewer, document: str, **variables: Any
) -> tuple[Any, list[dict[str, Any]]]:
    """The data and the top-level errors as clients see them."""
    context = Context(services, "request", caller)
    result = await _schema.execute(document, variables, context_value=context)
    return result.data, [dict(error.formatted) for error in result.errors or []]

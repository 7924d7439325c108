"""What calls of models took: of a step, an item, a run, a workflow."""

from decimal import Decimal

import strawberry

from weft.domain import usage as domain
from weft.domain.workflow import Workflow
from weft.graphql.context import Info
from weft.graphql.scalars import BigInt
from weft.operations import run_lists


@strawberry.type(
    description="What calls of models took, every attempt included. What an attempt took that broke off with its worker "
    "is known to the provider alone. Outputs from the cache took nothing."
)
class Usage:
    calls: BigInt = strawberry.field(description="Requests to models that were answered.")
    input_tokens: BigInt = strawberry.field(description="All that was read, the cached ones included.")
    output_tokens: BigInt = strawberry.field(
        description="All that was written, hidden reasoning included where the provider counts it."
    )
    cached_tokens: BigInt = strawberry.field(
        description="Of the input tokens, those that the provider had in its cache."
    )
    cost: Decimal = strawberry.field(description="In US dollars; 0 where the price of the model is not known.")


async def usage_of_workflow(parent: strawberry.Parent[Workflow], info: Info) -> domain.Usage:
    """The field `Workflow.usage`."""
    return await info.context.load(run_lists.load_usages, parent.id)

"""What the configs of all step types have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class StepConfig(BaseModel):
    """camelCase in JSON, snake_case in Python. Unknown fields are refused: a typing mistake must not pass as a default."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, hide_input_in_errors=True)


Expression = Annotated[str, Field(min_length=1, json_schema_extra={"format": "cel"})]
"""A CEL expression. The format tells an editor which language it is."""
Template = Annotated[str, Field(json_schema_extra={"format": "liquid"})]
"""A Liquid text."""
FieldName = Annotated[str, Field(min_length=1, max_length=200)]
BranchName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")]

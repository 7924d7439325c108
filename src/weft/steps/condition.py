"""The step that decides which branches an item takes."""

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from weft.domain.entity import JsonSchema
from weft.domain.step import Output, StepCategory, StepContext, StepScope, StepType
from weft.steps._config import BranchName, Expression, StepConfig
from weft.steps._evaluation import conditions


class ConditionConfig(StepConfig):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"branches": {"named": "has(input.title)", "nameless": "true"}},
                {"branches": {"named": "has(input.title)"}, "otherwise": "rest", "mode": "ALL"},
            ]
        }
    )
    branches: Annotated[dict[BranchName, Expression], Field(min_length=1, max_length=50)] = Field(
        description="CEL conditions by the names of the branches, tried in order.",
        examples=[{"large": "input.total > 1000.0", "small": "true"}],
    )
    mode: Literal["FIRST", "ALL"] = Field(
        default="FIRST",
        description="FIRST: the item takes the first branch whose condition holds. ALL: it takes each of them.",
        examples=["ALL"],
    )
    otherwise: BranchName | None = Field(
        default=None,
        description="The branch that is taken where no condition holds. Left out, what depends on a branch is skipped then.",
        examples=["rest"],
    )

    @model_validator(mode="after")
    def _otherwise_is_a_branch_of_its_own(self) -> Self:
        if self.otherwise in self.branches:
            raise ValueError(f"'otherwise' names the branch {self.otherwise!r}, which has a condition already.")
        return self


class Condition(StepType[ConditionConfig]):
    kind = "condition"
    title = "Condition"
    description = "Sends each item along the branches whose conditions hold; its input passes through unchanged."
    category = StepCategory.CONDITION
    Config = ConditionConfig

    def prepare(self, scope: StepScope) -> None:
        config = self.config
        self._conditions = conditions(scope, config.branches, "branches")
        self._takes_all = config.mode == "ALL"
        self._otherwise = () if config.otherwise is None else (config.otherwise,)
        self._base = scope.input_schema

    @property
    def branches(self) -> tuple[str, ...]:
        return (*self.config.branches, *self._otherwise)

    @property
    def output_schema(self) -> JsonSchema | None:
        return self._base

    def run(self, ctx: StepContext, input: Any) -> Any:
        taken: list[str] = []
        for name, answer in zip(self.config.branches, self._conditions.answers(ctx), strict=True):
            if answer is True:
                taken.append(name)
                if not self._takes_all:
                    break
            elif answer is not False:
                raise answer
        return Output(input, tuple(taken) or self._otherwise)

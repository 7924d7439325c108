"""The step that checks items against a schema and rules."""

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from weft.domain.entity import JsonSchema
from weft.domain.step import Fail, Skip, StepCategory, StepContext, StepScope, StepType
from weft.kit.liquid import LiquidTemplate
from weft.steps._config import Expression, StepConfig, Template
from weft.steps._evaluation import Conditions, conditions, rendered
from weft.steps._json import MOST_DETAILS, described, open_schema, reason_of

CODE = "VALIDATION_FAILED"
_Finding = tuple[str, str, dict[str, Any]]
"""The code, the reason, the details."""
_Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]


class Rule(StepConfig):
    name: str = Field(min_length=1, max_length=200, description="What the rule is called.", examples=["has a budget"])
    expression: Expression = Field(
        description="CEL expression that is true for a valid item.", examples=["input.budget > 0.0"]
    )
    message: Template | None = Field(
        default=None,
        description="Liquid text for an item that breaks the rule; left out, the name of the rule.",
        examples=["The budget {{ budget }} is not positive."],
    )
    code: _Code | None = Field(
        default=None,
        description="The code failures are grouped by; left out, VALIDATION_FAILED.",
        examples=["NO_BUDGET"],
    )


class ValidateConfig(StepConfig):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"schema": {"type": "object", "required": ["title"]}},
                {"rules": [{"name": "has a title", "expression": "has(input.title)", "message": "No title."}]},
                {
                    "rules": [{"name": "one title", "expression": "size(input) > 0", "code": "EMPTY"}],
                    "onInvalid": "SKIP",
                },
            ]
        }
    )
    json_schema: dict[str, Any] | None = Field(
        default=None,
        alias="schema",
        description="JSON Schema that the input has to fit.",
        examples=[{"type": "object", "required": ["title"]}],
    )
    rules: tuple[Rule, ...] = Field(
        default=(),
        max_length=100,
        description="Conditions that the item has to meet, beside the schema.",
        examples=[[{"name": "has a title", "expression": "has(input.title)"}]],
    )
    on_invalid: Literal["FAIL", "SKIP"] = Field(
        default="FAIL", description="What happens to an item that is not valid.", examples=["SKIP"]
    )

    @model_validator(mode="after")
    def _checks_something(self) -> Self:
        if self.json_schema is None and not self.rules:
            raise ValueError("Give a 'schema', 'rules', or both.")
        names = [rule.name for rule in self.rules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"Two rules are called {twice[0]!r}.")
        return self


class Validate(StepType[ValidateConfig]):
    kind = "validate"
    title = "Validate"
    description = (
        "Checks each item against a JSON Schema and rules; all that is wrong is reported, not the first thing."
    )
    category = StepCategory.PROCESSING
    Config = ValidateConfig

    def prepare(self, scope: StepScope) -> None:
        schema = self.config.json_schema
        self._validator = None if schema is None else scope.json_schema(schema, "schema")
        rules = self.config.rules
        sources = {str(index): rule.expression for index, rule in enumerate(rules)}
        self._conditions = conditions(scope, sources, "rules", labels=[rule.name for rule in rules]) if rules else None
        self._messages = tuple(
            None if rule.message is None else scope.template(rule.message, "rules", str(index), "message")
            for index, rule in enumerate(rules)
        )
        self._output_schema = scope.input_schema or (open_schema(schema) if schema is not None else None)

    @property
    def output_schema(self) -> JsonSchema | None:
        return self._output_schema

    def run(self, ctx: StepContext, input: Any) -> Any:
        violations = [] if self._validator is None else self._validator.check(input, most=MOST_DETAILS)
        if not violations and self._conditions is None:
            return input
        found = [(CODE, reason_of(violation), described(violation)) for violation in violations]
        if self._conditions is not None:
            found += self._broken_rules(self._conditions, ctx, schema_holds=not violations)
        if not found:
            return input
        code, reason, _ = found[0]
        reason += f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        if self.config.on_invalid == "SKIP":
            raise Skip(reason)
        raise Fail(reason, code=code, details=[detail for _, _, detail in found])

    def _broken_rules(self, conditions: Conditions, ctx: StepContext, *, schema_holds: bool) -> list[_Finding]:
        found: list[_Finding] = []
        for rule, message, answer in zip(self.config.rules, self._messages, conditions.answers(ctx), strict=True):
            if answer is True:
                continue
            if answer is False:
                text = f"The rule {rule.name!r} does not hold." if message is None else _written(rule, message, ctx)
            elif schema_holds:
                text = answer.reason
            else:
                continue  # what breaks the schema breaks the expression with it: that says nothing new
            found.append((rule.code or CODE, text, {"rule": rule.name, "message": text}))
        return found


def _written(rule: Rule, message: LiquidTemplate, ctx: StepContext) -> str:
    try:
        return rendered(message, ctx)
    except Fail as error:
        return f"The rule {rule.name!r} does not hold (its message cannot be written: {error.reason})"

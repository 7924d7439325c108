"""The step that asks a model."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Self, cast

from pydantic import ConfigDict, Field, model_validator

from weft.domain.definition import RetryPolicy
from weft.domain.entity import JsonSchema
from weft.domain.errors import Problem
from weft.domain.outside import ModelReply, ModelRequest, Outside
from weft.domain.run import LogLevel
from weft.domain.step import Fail, Output, StepCategory, StepContext, StepScope, StepType
from weft.steps._config import FieldName, StepConfig, Template
from weft.steps._evaluation import rendered
from weft.steps._json import made_object, object_schema
from weft.steps._providers import provider_problems

LONGEST_PROMPT = 500_000
"""Characters: about what the largest models read."""
_EXAMPLE_SCHEMA: dict[str, Any] = {"type": "object", "properties": {"topic": {"type": "string"}}, "required": ["topic"]}


class AiGenerateConfig(StepConfig):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"provider": "openai", "model": "gpt-5-mini", "prompt": "Write a slogan for {{ title }}."},
                {
                    "provider": "anthropic",
                    "model": "claude-haiku-4-5",
                    "instructions": "You sort letters.",
                    "prompt": "{{ text }}",
                    "schema": _EXAMPLE_SCHEMA,
                },
            ]
        }
    )
    provider: str = Field(
        min_length=1, max_length=200, description="The name of a model provider of the workspace.", examples=["openai"]
    )
    model: str = Field(
        min_length=1,
        max_length=200,
        pattern=r"^\S(.*\S)?$",
        description="The model, as the provider spells it.",
        examples=["gpt-5-mini", "claude-haiku-4-5"],
    )
    prompt: Template = Field(
        min_length=1,
        description="Liquid text of what the model is asked.",
        examples=["Summarise in three sentences:\n\n{{ text }}"],
    )
    instructions: Template | None = Field(
        default=None,
        description="Liquid text of what the model is told about its task and role, before the prompt.",
        examples=["You are an editor. Answer in the language of the text."],
    )
    json_schema: dict[str, Any] | None = Field(
        default=None,
        alias="schema",
        description="JSON Schema of the answer. Left out, the answer is text. An answer that does not fit is sent back to the "
        "model with what is wrong.",
        examples=[_EXAMPLE_SCHEMA],
    )
    tries: int = Field(
        default=3,
        ge=1,
        le=10,
        description="How often the model is asked within one attempt, where its answer does not fit the schema.",
        examples=[2],
    )
    max_output_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        default=None, description="The most that the model may write; left out, as much as it can.", examples=[1_000]
    )
    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(
        default=None, description="From 0, the likeliest words, to 2; models that reason take none.", examples=[0.2]
    )
    timeout: timedelta = Field(
        default=timedelta(minutes=5),
        gt=timedelta(0),
        le=timedelta(minutes=30),
        description="Of one answer. The wait for the limits of the provider is not counted.",
        examples=["PT1M"],
    )
    target: FieldName | None = Field(
        default=None,
        description="The field of the output that holds the answer. Left out: `text` for a text; JSON is the output itself.",
        examples=["summary"],
    )
    keep: bool = Field(
        default=False, description="Whether the fields of the input are part of the output.", examples=[True]
    )

    @model_validator(mode="after")
    def _kept_fields_leave_room(self) -> Self:
        if self.keep and self.json_schema is not None and self.target is None:
            raise ValueError("`keep` needs a `target`: the field beside those of the input that holds the JSON.")
        return self


class AiGenerate(StepType[AiGenerateConfig]):
    kind = "ai_generate"
    title = "Ask a model"
    description = "Asks an AI model for a text, or for JSON that is checked against a schema; tells tokens and cost."
    category = StepCategory.AI
    Config = AiGenerateConfig
    default_retry = RetryPolicy(max_attempts=3, initial_delay=timedelta(seconds=2))

    def prepare(self, scope: StepScope) -> None:
        config = self.config
        self._prompt = scope.template(config.prompt, "prompt")
        self._instructions = (
            None if config.instructions is None else scope.template(config.instructions, "instructions")
        )
        if config.json_schema is not None:
            scope.json_schema(config.json_schema, "schema")
        self._base = scope.input_schema
        self._target = config.target or ("text" if config.json_schema is None else None)
        self._told_price = False

    @property
    def output_schema(self) -> JsonSchema | None:
        answer: JsonSchema = {"type": "string"} if self.config.json_schema is None else self.config.json_schema
        if self._target is None:
            return answer
        added = {self._target: answer}
        return object_schema(self._base, added) if self.config.keep else made_object(added)

    async def examine(self, outside: Outside) -> Sequence[Problem]:
        return await provider_problems(self.config.provider, outside)

    async def run(self, ctx: StepContext, input: Any) -> Output:
        config = self.config
        reply = await ctx.outside.models.generate(
            ModelRequest(
                provider=config.provider,
                model=config.model,
                prompt=_bounded(rendered(self._prompt, ctx)),
                instructions=None if self._instructions is None else _bounded(rendered(self._instructions, ctx)),
                schema=config.json_schema,
                max_output_tokens=config.max_output_tokens,
                temperature=config.temperature,
                attempts=config.tries,
                timeout=config.timeout,
            )
        )
        self._tell(ctx, reply)
        if self._target is None:
            return Output(reply.value, usage=reply.usage)
        kept = cast("dict[str, Any]", input) if config.keep and isinstance(input, dict) else {}
        return Output({**kept, self._target: reply.value}, usage=reply.usage)

    def _tell(self, ctx: StepContext, reply: ModelReply) -> None:
        if not reply.complete:
            ctx.log(LogLevel.WARNING, "The text was cut off: the model had written as much as it may.")
        if not reply.priced and not self._told_price:
            # Once per worker and version of the workflow: it holds for every item alike.
            self._told_price = True
            ctx.log(LogLevel.INFO, f"The price of the model {reply.model} is not known: its cost counts as 0.")


def _bounded(text: str) -> str:
    if len(text) > LONGEST_PROMPT:
        reason = f"The text for the model has {len(text):,} characters; at most {LONGEST_PROMPT:,} are sent."
        raise Fail(reason, code="PROMPT_TOO_LONG")
    return text

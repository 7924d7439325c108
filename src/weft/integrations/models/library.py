"""The model libraries. The only module that imports them, and imported by nobody: `loading` fetches it when it is needed."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import httpx2
from anthropic import AsyncAnthropic
from pydantic_ai.direct import model_request
from pydantic_ai.messages import (
    InstructionPart,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from weft.domain.outside import HttpSender
from weft.domain.providers import ModelProvider, ProviderKind
from weft.integrations.models.answers import instructions_for
from weft.integrations.models.asking import Answer, Library, Question, Way
from weft.integrations.models.faults import outcome_of
from weft.integrations.models.lean_openai import UNUSED_KEY, LeanOpenAI
from weft.integrations.models.prices import usage_of
from weft.integrations.models.transport import GuardedTransport, WayOut
from weft.kit.json import dumps
from weft.kit.storable import storable

MOST_MODELS = 50
"""Remembered of one provider: a name that a template makes may be another for each item."""
_LONGEST_NAME = 200
_TOOL = "answer"
_USUAL_MOST = 20_000
"""Tokens that Anthropic is allowed to write where nothing is said: for more its client would stream."""


def open_library(provider: ModelProvider, key: str | None, http: HttpSender) -> Library:
    return _Opened(provider, key, WayOut(http, key))


class _Opened:
    def __init__(self, provider: ModelProvider, key: str | None, way_out: WayOut) -> None:
        self._provider = provider
        self._key = key
        is_anthropic = provider.kind is ProviderKind.ANTHROPIC
        self._usual_most = _USUAL_MOST if is_anthropic else None
        make = _anthropic if is_anthropic else _openai
        self._model = lru_cache(MOST_MODELS)(make(provider.base_url, way_out))

    def ways(self, model: str) -> Sequence[Way]:
        known: Any = self._model(model).profile
        if known.get("supports_json_schema_output", False):
            first = (Way.NATIVE, Way.JSON_MODE)
        else:
            first = (Way.TOOL,) if known.get("supports_tools", True) else ()
        return (*first, Way.PROMPTED)

    async def ask(self, question: Question) -> Answer:
        model = self._model(question.model)
        settings = ModelSettings(timeout=question.timeout_seconds)
        if (most := question.max_output_tokens or self._usual_most) is not None:
            settings["max_tokens"] = most
        if question.temperature is not None:
            settings["temperature"] = question.temperature
        try:
            response = await model_request(
                model, _messages(question), model_settings=settings, model_request_parameters=_parameters(question)
            )
        except (
            Exception
        ) as error:  # what a stranger's server answers breaks the libraries in ways that they have no name for
            raise outcome_of(error, self._provider.name, self._key, asked_by_schema=_by_schema(question)) from error
        usage, priced = usage_of(response, question.model, self._provider)
        return Answer(
            text=_text(response),
            model=storable(response.model_name or question.model)[:_LONGEST_NAME],
            usage=usage,
            priced=priced,
            cut_off=response.finish_reason == "length",
            refused=response.finish_reason == "content_filter",
        )


def _openai(base_url: str, way_out: WayOut) -> Callable[[str], Model[Any]]:
    provider = OpenAIProvider(openai_client=LeanOpenAI(base_url, way_out))

    def make(name: str) -> Model[Any]:
        return OpenAIChatModel(name, provider=provider)

    return make


def _anthropic(base_url: str, way_out: WayOut) -> Callable[[str], Model[Any]]:
    client = httpx2.AsyncClient(transport=GuardedTransport(way_out), trust_env=False)
    provider = AnthropicProvider(
        anthropic_client=AsyncAnthropic(base_url=base_url, api_key=UNUSED_KEY, http_client=client, max_retries=0)
    )

    def make(name: str) -> Model[Any]:
        return AnthropicModel(name, provider=provider)

    return make


def _by_schema(question: Question) -> bool:
    return question.way in {Way.NATIVE, Way.TOOL, Way.JSON_MODE}


def _messages(question: Question) -> list[ModelMessage]:
    messages: list[ModelMessage] = [ModelRequest(parts=[UserPromptPart(question.prompt)])]
    for answered, said in question.corrections:
        messages.append(ModelResponse(parts=[TextPart(answered or "(nothing)")]))
        messages.append(ModelRequest(parts=[UserPromptPart(said)]))
    return messages


def _parameters(question: Question) -> ModelRequestParameters:
    told = [question.instructions] if question.instructions else []
    schema: Any = question.schema
    if question.way is Way.PROMPTED:
        told.append(instructions_for(schema))
    instructions = [InstructionPart(content=text) for text in told] or None
    match question.way:
        case Way.NATIVE:
            wanted = OutputObjectDefinition(json_schema=schema, name=_TOOL)
            return ModelRequestParameters(output_mode="native", output_object=wanted, instruction_parts=instructions)
        case Way.JSON_MODE:
            wanted = OutputObjectDefinition(json_schema=schema, name=_TOOL)
            return ModelRequestParameters(output_mode="prompted", output_object=wanted, instruction_parts=instructions)
        case Way.TOOL:
            tool = ToolDefinition(name=_TOOL, description="Give the answer.", parameters_json_schema=schema)
            return ModelRequestParameters(
                output_mode="tool", output_tools=[tool], allow_text_output=False, instruction_parts=instructions
            )
        case _:
            return ModelRequestParameters(instruction_parts=instructions)


def _text(response: ModelResponse) -> str:
    for part in response.parts:
        if isinstance(part, ToolCallPart) and part.tool_name == _TOOL:
            return part.args if isinstance(part.args, str) else dumps(part.args or {})
    return "".join(part.content for part in response.parts if isinstance(part, TextPart))

"""The step that sends a message through an integration."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar
from uuid import NAMESPACE_URL, uuid5

from pydantic import ConfigDict, Field

from weft.domain.delivery import Message
from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode, Problem
from weft.domain.outside import Outside
from weft.domain.step import Fail, Output, SendMessage, StepCategory, StepContext, StepScope, StepType
from weft.kit.json import dump_bytes
from weft.kit.suggest import hint_for
from weft.steps._config import Expression, FieldName, StepConfig, Template
from weft.steps._evaluation import evaluated, rendered

_Mapping = Annotated[dict[FieldName, Expression], Field(max_length=200)]
_DELIVERIES = uuid5(NAMESPACE_URL, "weft:deliveries")
LARGEST_MESSAGE = 256 * 1024
"""Bytes. More belongs into a document, and a link to it into the message."""


class NotifyConfig(StepConfig):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"integration": "team", "message": "Invoice {{ number }} is checked"},
                {
                    "integration": "accounting",
                    "subject": "Invoice {{ number }}",
                    "data": {"number": "input.number", "total": "input.total"},
                },
            ]
        }
    )
    integration: str = Field(
        min_length=1,
        max_length=200,
        description="The id or the name of an integration of the workspace. Also accepted as `integrationId`.",
        examples=["team"],
    )
    message: Template | None = Field(
        default=None,
        description="Liquid text of the message. Left out, it lists the values of `data`; an email or a webhook may need none. "
        "Also accepted as `template`.",
        examples=["Invoice {{ number }} is checked"],
    )
    subject: Template | None = Field(
        default=None,
        description="Liquid text of the title: the subject of an email, the first line in Slack.",
        examples=["Invoice {{ number }}"],
    )
    data: _Mapping | None = Field(
        default=None,
        description="CEL expressions by name: values that go with the message, for the template of an email and the body of "
        "a webhook. Left out, the fields of the input.",
        examples=[{"number": "input.number"}],
    )
    payload: _Mapping | None = Field(
        default=None,
        description="CEL expressions by the names of the fields of a webhook's whole body, in place of the usual one.",
        examples=[{"text": "'Invoice ' + input.number"}],
    )


class Notify(StepType[NotifyConfig]):
    kind = "notify"
    title = "Notify"
    description = "Sends a message through an integration (Slack, email, webhook) for each item, until it arrives."
    category = StepCategory.OUTPUT
    cacheable = False
    Config = NotifyConfig
    spellings: ClassVar[Mapping[str, str]] = {"integrationId": "integration", "template": "message"}
    aliases: ClassVar[Mapping[str, Mapping[str, Any]]] = {"integration": {}}
    OutputSchema: ClassVar[JsonSchema | None] = {
        "type": "object",
        "properties": {"deliveryId": {"type": "string"}},
        "required": ["deliveryId"],
    }

    def prepare(self, scope: StepScope) -> None:
        config = self.config
        self._message = None if config.message is None else scope.template(config.message, "message")
        self._subject = None if config.subject is None else scope.template(config.subject, "subject")
        self._data = None if config.data is None else scope.mapping(config.data, "data")
        self._payload = None if config.payload is None else scope.mapping(config.payload, "payload")

    def run(self, ctx: StepContext, input: Any) -> Any:
        message = self._composed(ctx, input)
        try:
            written = dump_bytes(message)
        except (TypeError, ValueError) as error:
            raise Fail(f"The message cannot be written as JSON: {error}.", code="INVALID_OUTPUT") from error
        if len(written) > LARGEST_MESSAGE:
            reason = (
                f"The message has {len(written):,} bytes, more than {LARGEST_MESSAGE:,}. Choose values with `data`."
            )
            raise Fail(reason, code="MESSAGE_TOO_LARGE")
        delivery_id = uuid5(_DELIVERIES, ctx.idempotency_key)
        effect = SendMessage(delivery_id, self.config.integration, message)
        return Output({"deliveryId": str(delivery_id)}, effects=(effect,))

    async def examine(self, outside: Outside) -> Sequence[Problem]:
        reference = self.config.integration
        found = await outside.integrations.find(reference)
        if found is None:
            hint = hint_for(reference, await outside.integrations.names())
            message = f"There is no integration {reference!r} in this workspace{hint}."
            return [Problem(ErrorCode.UNKNOWN_REFERENCE, message, ("integration",), "Make it with createIntegration.")]
        if self._payload is not None and found.type != "WEBHOOK":
            message = f"The integration {found.name!r} is of the type {found.type}; only a webhook takes a payload."
            return [Problem(ErrorCode.INVALID_CONFIG, message, ("payload",), "Use `message` and `data`.")]
        return ()

    def _composed(self, ctx: StepContext, input: Any) -> Message:
        message: Message = {}
        if self._subject is not None:
            message["subject"] = rendered(self._subject, ctx)
        if self._message is not None:
            message["text"] = rendered(self._message, ctx)
        if self._payload is not None:
            message["payload"] = evaluated(self._payload, ctx)
        elif self._data is not None:
            message["data"] = evaluated(self._data, ctx)
        elif isinstance(input, dict):
            message["data"] = input
        return message

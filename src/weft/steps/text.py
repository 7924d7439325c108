"""The step that makes and changes text."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode
from weft.domain.step import Fail, StepCategory, StepContext, StepScope, StepType
from weft.kit.json import in_words
from weft.steps._evaluation import rendered
from weft.steps._json import made_object, object_of, object_schema
from weft.steps._pattern import BadPatternError
from weft.steps._text_config import Operation, TextConfig, alias
from weft.steps._text_operations import change_of, concatenated, joined

_WITHOUT_FIELD = frozenset({Operation.STATIC, Operation.TEMPLATE, Operation.CONCAT})
_TEXT: JsonSchema = {"type": "string"}
_RESULTS: dict[Operation, JsonSchema] = {
    Operation.SPLIT: {"type": "array", "items": _TEXT},
    Operation.LENGTH: {"type": "integer"},
}


class Text(StepType[TextConfig]):
    kind = "text"
    title = "Text"
    description = (
        "Makes a text (static, template, concat, join) or changes one: case, trim, reverse, replace, split, truncate."
    )
    category = StepCategory.PROCESSING
    Config = TextConfig
    spellings: ClassVar[Mapping[str, str]] = {"input": "value"}
    aliases: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "StaticTextInput": alias(Operation.STATIC),
        "TextOperation.Template": alias(Operation.TEMPLATE),
        "TextOperation.Reverse": alias(Operation.REVERSE),
        "TextOperation.Uppercase": alias(Operation.UPPER),
        "TextOperation.Lowercase": alias(Operation.LOWER),
        "TextOperation.Title": alias(Operation.TITLE),
        "TextOperation.Capitalize": alias(Operation.CAPITALIZE),
        "TextOperation.Trim": alias(Operation.TRIM),
        "TextOperation.Replace": alias(Operation.REPLACE),
        "TextOperation.Split": alias(Operation.SPLIT),
        "TextOperation.Join": alias(Operation.JOIN),
        "TextOperation.Truncate": alias(Operation.TRUNCATE),
        "TextOperation.Concat": alias(Operation.CONCAT),
        "TextOperation.Length": alias(Operation.LENGTH),
    }

    def prepare(self, scope: StepScope) -> None:
        self._target = self.config.target or self.config.field
        self._result = _RESULTS.get(self.config.operation, _TEXT)
        self._base = scope.input_schema
        self._make = self._maker(scope)

    @property
    def input_schema(self) -> JsonSchema | None:
        """Text, or an object with text in its field: the rules on fields bind only objects."""
        config = self.config
        if config.operation in _WITHOUT_FIELD:
            return None if config.operation is not Operation.CONCAT else {"type": "object"}
        if config.operation is Operation.JOIN:
            return {"type": "object", "properties": {config.field: {"type": "array"}}, "required": [config.field]}
        return {"type": ["object", "string"], "properties": {config.field: _TEXT}, "required": [config.field]}

    @property
    def output_schema(self) -> JsonSchema | None:
        added = {self._target: self._result}
        return object_schema(self._base, added) if self.config.keep else made_object(added)

    def run(self, ctx: StepContext, input: Any) -> Any:
        made = self._make(ctx, input)
        if self.config.keep and isinstance(input, dict):
            return {**cast("dict[str, Any]", input), self._target: made}
        return {self._target: made}

    def _maker(self, scope: StepScope) -> Callable[[StepContext, Any], Any]:
        config = self.config
        field = config.field
        separator = " " if config.separator is None else config.separator
        match config.operation:
            case Operation.STATIC:
                value = config.value or ""
                return lambda _ctx, _input: value
            case Operation.TEMPLATE:
                template = scope.template(config.template or "", "template")
                return lambda ctx, _input: rendered(template, ctx)
            case Operation.CONCAT:
                names = config.fields or ()
                return lambda _ctx, input: concatenated(object_of(input), names, separator)
            case Operation.JOIN:
                return lambda _ctx, input: joined(_value(object_of(input), field), separator, field)
            case _:
                return self._changer(scope)

    def _changer(self, scope: StepScope) -> Callable[[StepContext, Any], Any]:
        try:
            change = change_of(self.config)
        except BadPatternError as error:
            scope.problem(ErrorCode.INVALID_CONFIG, str(error), "pattern")
            change = str
        field = self.config.field
        return lambda _ctx, input: change(_text(input, field))


def _text(value: Any, field: str) -> str:
    if isinstance(value, str):
        return value
    text = _value(object_of(value), field)
    if not isinstance(text, str):
        raise Fail(f"The field {field!r} holds {in_words(text)}, not text.", code="TEXT_EXPECTED")
    return text


def _value(value: dict[str, Any], field: str) -> Any:
    if field not in value:
        raise Fail(f"The input has no field {field!r}.", code="FIELD_MISSING")
    return value[field]

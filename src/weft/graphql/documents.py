"""Query texts on their way to execution: parsed, validated and measured once, then remembered.

Clients send the same few texts over and over. A remembered one costs a look-up; the rules are the same objects for every
request, so nothing is validated twice. What is remembered is bounded by the sum of its characters, since a stranger may
send a new text with every request.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    get_operation_ast,
    parse,
    specified_rules,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document
from strawberry.types.execution import PreExecutionError

from weft.graphql.errors import BAD_REQUEST, QUERY_TOO_LARGE, coded
from weft.graphql.limits import Measurement, QueryLimits, Size, excess, numbers

REMEMBERED_CHARACTERS = 250_000
"""A document takes some hundred times the memory of its text: about 30 MB in all."""
REMEMBERED_SIZES = 20
"""Sizes of one document, by operation and page sizes in variables."""


@dataclass(slots=True)
class Document:
    node: DocumentNode
    errors: list[GraphQLError] | None = None
    sizes: dict[object, Size] = field(default_factory=dict[object, Size])


class Documents:
    """The documents of one schema."""

    def __init__(self, limits: QueryLimits, *, introspection: bool) -> None:
        self._limits = limits
        self._rules: tuple[type[ASTValidationRule], ...] = (
            *specified_rules,
            *(() if introspection else (NoSchemaIntrospectionCustomRule,)),
        )
        self._remembered: OrderedDict[str, Document] = OrderedDict()
        self.remembered_characters = 0

    def read(self, text: str) -> Document:
        """The document of this text. Raises a GraphQLError for one that is too long or cannot be parsed."""
        document = self._remembered.get(text)
        if document is not None:
            self._remembered.move_to_end(text)
            return document
        if len(text) > self._limits.characters:
            message = f"This query has {len(text):,} characters; at most {self._limits.characters:,} are allowed."
            raise coded(QUERY_TOO_LARGE, message)
        try:
            document = Document(parse(text, max_tokens=self._limits.tokens))
        except RecursionError:
            raise coded(QUERY_TOO_LARGE, "This query is nested too deeply.") from None
        self._remember(text, document)
        return document

    def refusal(self, text: str | None, operation_name: str | None) -> PreExecutionError | None:
        """Why there is nothing to execute; None when there is."""
        if not text:
            return _refused(coded(BAD_REQUEST, "There is no `query` in the request."))
        try:
            document = self.read(text)
        except GraphQLError as error:
            return _refused(error)
        if get_operation_ast(document.node, operation_name) is None:
            wrong = "names none" if operation_name else "has to name one"
            return _refused(coded(BAD_REQUEST, f"`operationName` {wrong} of the operations in this query."))
        return None

    def is_subscription(self, text: str, operation_name: str | None) -> bool:
        try:
            operation = get_operation_ast(self.read(text).node, operation_name)
        except GraphQLError:
            return False
        return operation is not None and operation.operation.value == "subscription"

    def errors(
        self, document: Document, schema: GraphQLSchema, operation_name: str | None, variables: Mapping[str, Any] | None
    ) -> Sequence[GraphQLError]:
        """What is wrong with the operation, by the schema and by the limits."""
        try:
            if document.errors is None:
                document.errors = validate_document(schema, document.node, self._rules)
            if document.errors:
                return document.errors
            too_large = excess(_size(document, schema, operation_name, variables or {}), self._limits)
        except RecursionError:
            too_large = "This query is nested too deeply."
        return [coded(QUERY_TOO_LARGE, too_large)] if too_large else []

    def _remember(self, text: str, document: Document) -> None:
        self._remembered[text] = document
        self.remembered_characters += len(text)
        while self.remembered_characters > REMEMBERED_CHARACTERS:
            oldest, _ = self._remembered.popitem(last=False)
            self.remembered_characters -= len(oldest)


def _refused(error: GraphQLError) -> PreExecutionError:
    return PreExecutionError(None, [error])


def _size(document: Document, schema: GraphQLSchema, operation_name: str | None, variables: Mapping[str, Any]) -> Size:
    operation = get_operation_ast(document.node, operation_name)
    if not isinstance(operation, OperationDefinitionNode):
        return Size()
    given = numbers(operation, variables)
    key = (operation_name, *given.items())
    if key not in document.sizes:
        if len(document.sizes) >= REMEMBERED_SIZES:
            document.sizes.clear()
        fragments = {
            node.name.value: node for node in document.node.definitions if isinstance(node, FragmentDefinitionNode)
        }
        document.sizes[key] = Measurement(schema, fragments, given).operation(operation)
    return document.sizes[key]


def preparing(documents: Documents) -> Callable[[], SchemaExtension]:
    """The extension that parses and validates by `documents`."""

    class Preparing(SchemaExtension):
        _document: Document

        def on_parse(self) -> Iterator[None]:
            execution = self.execution_context
            self._document = documents.read(execution.query or "")
            execution.graphql_document = self._document.node
            yield

        def on_validate(self) -> Iterator[None]:
            execution = self.execution_context
            execution.pre_execution_errors = list(
                documents.errors(
                    self._document,
                    execution.schema._schema,  # noqa: SLF001 - strawberry has no other name for the schema it built
                    execution.operation_name,
                    execution.variables,
                )
            )
            yield

    return Preparing

"""Query texts on their way to execution: parsed, validated and measured once, then remembered.

Clients send the same few texts over and over. A remembered one costs a look-up; the rules are the same objects for every
request, so nothing is validated twice. What is remembered is bounded by the sum of its characters, since a stranger may
send a new text with every request.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from graphql import (
    ASTValidationRule,
    DefinitionNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types.execution import PreExecutionError

from weft.domain.access import Role
from weft.domain.errors import StartupError
from weft.graphql.errors import (
    BAD_REQUEST,
    PERSISTED_QUERY_NOT_FOUND,
    PERSISTED_QUERY_NOT_SUPPORTED,
    QUERY_TOO_LARGE,
    UNTRUSTED_DOCUMENT,
    coded,
)
from weft.graphql.introspection import NoAliasesInIntrospection
from weft.graphql.limits import Excess, Measurement, QueryLimits, Size, excess, numbers
from weft.graphql.repetition import MOST_REPEATED, too_often
from weft.graphql.trusted import TrustedDocuments

REMEMBERED_CHARACTERS = 250_000
"""A document takes some hundred times the memory of its text: about 30 MB in all."""
REMEMBERED_SIZES = 20
"""Sizes of one document, by operation and page sizes in variables."""


@dataclass(slots=True)
class Document:
    node: DocumentNode
    errors: list[GraphQLError] | None = None
    sizes: dict[object, Size] = field(default_factory=dict[object, Size])

    def type_of(self, operation_name: str | None) -> OperationType | None:
        operation = get_operation_ast(self.node, operation_name)
        return None if operation is None else operation.operation


@dataclass(frozen=True, slots=True)
class Judgement:
    errors: Sequence[GraphQLError]
    cost: Mapping[str, int] | None = None
    """Of a query or a mutation that fits the schema."""

    @property
    def extensions(self) -> dict[str, Any]:
        """What is told of it beside the answer."""
        return {} if self.cost is None else {"cost": self.cost}


class Documents:
    """The documents of one schema."""

    def __init__(
        self, limits: QueryLimits, *, introspection: bool = True, trusted: TrustedDocuments | None = None
    ) -> None:
        self._limits = limits
        self._trusted = trusted
        self._introspection = introspection
        self._rules: tuple[type[ASTValidationRule], ...] = (
            *specified_rules,
            MaybeNullValidationRule,
            OneOfInputValidationRule,
            NoAliasesInIntrospection,
            *(() if introspection else (NoSchemaIntrospectionCustomRule,)),
        )
        self._remembered: OrderedDict[str, Document] = OrderedDict()
        self.remembered_characters = 0

    def named(self, document_id: str) -> str:
        """The text of a trusted document. Raises a GraphQLError: clients of Apollo's know its code."""
        if self._trusted is None:
            why = "No documents are kept here: send the `query` itself."
            raise coded(PERSISTED_QUERY_NOT_SUPPORTED, why)
        text = self._trusted.find(document_id)
        if text is None:
            why = f"There is no trusted document {document_id[:80]!r} here. Is this server older or newer than the client?"
            raise coded(PERSISTED_QUERY_NOT_FOUND, why)
        return text

    def read(self, text: str) -> Document:
        """The document of this text. Raises a GraphQLError for one that is too large or cannot be parsed."""
        document = self._remembered.get(text)
        if document is not None:
            self._remembered.move_to_end(text)
            return document
        trusted = self._trusted is not None and self._trusted.contains(text)
        if len(text) > self._limits.characters and not trusted:
            message = f"This query has {len(text):,} characters; at most {self._limits.characters:,} are allowed."
            raise coded(QUERY_TOO_LARGE, message)
        try:
            document = Document(parse(text, max_tokens=None if trusted else self._limits.tokens))
        except RecursionError:
            raise coded(QUERY_TOO_LARGE, "This query is nested too deeply.") from None
        if not trusted and (name := too_often(document.node)) is not None:
            message = (
                f"This query asks for {name[:80]!r} more than {MOST_REPEATED} times in one selection. Once is enough."
            )
            raise coded(QUERY_TOO_LARGE, message)
        self._remember(text, document)
        return document

    def refusal(self, text: str | None, operation_name: str | None, role: Role | None) -> PreExecutionError | None:
        """Why there is nothing to execute for somebody with this role; None when there is."""
        if not text:
            return _refused(coded(BAD_REQUEST, "There is no `query` in the request."))
        if self._trusted is not None and not self._trusted.permits(text, role):
            why = "Only operations that were registered with this server are carried out, and this is none of them."
            return _refused(coded(UNTRUSTED_DOCUMENT, why))
        try:
            document = self.read(text)
        except GraphQLError as error:
            return _refused(error)
        if document.type_of(operation_name) is None:
            wrong = "names none" if operation_name else "has to name one"
            return _refused(coded(BAD_REQUEST, f"`operationName` {wrong} of the operations in this query."))
        return None

    def type_of(self, text: str, operation_name: str | None) -> OperationType | None:
        """None where that cannot be said: executing it says why."""
        try:
            return self.read(text).type_of(operation_name)
        except GraphQLError:
            return None

    def is_subscription(self, text: str, operation_name: str | None) -> bool:
        return self.type_of(text, operation_name) is OperationType.SUBSCRIPTION

    def judge(
        self, document: Document, schema: GraphQLSchema, operation_name: str | None, variables: Mapping[str, Any] | None
    ) -> Judgement:
        """What is wrong with the operation, by the schema and by the limits."""
        try:
            if document.errors is None:
                document.errors = validate(schema, document.node, self._rules, hide_suggestions=not self._introspection)
            if document.errors:
                return Judgement(document.errors)
            size = _size(document, schema, operation_name, variables or {})
            too_large = excess(size, self._limits)
        except RecursionError:
            return Judgement([coded(QUERY_TOO_LARGE, "This query is nested too deeply.")])
        errors = [] if too_large is None else [_too_large(too_large)]
        if document.type_of(operation_name) is OperationType.SUBSCRIPTION:
            return Judgement(errors)
        return Judgement(errors, {"requested": size.cost, "limit": self._limits.cost})

    def check_trusted(self, schema: GraphQLSchema) -> None:
        """Raises StartupError where a trusted document is one that would be refused."""
        trusted = self._trusted or TrustedDocuments()
        for text, source in trusted.sources.items():
            try:
                document = self.read(text)
            except GraphQLError as error:
                raise StartupError(f"A trusted document in {source} cannot be read: {error.message}") from error
            names = [node.name and node.name.value for node in document.node.definitions if _is_operation(node)]
            if not names:
                raise StartupError(f"A trusted document in {source} has no operation: {text[:80]!r}")
            for name in names:
                if wrong := self.judge(document, schema, name, None).errors:
                    raise StartupError(f"The trusted document {name or text[:80]!r} in {source}: {wrong[0].message}")

    def _remember(self, text: str, document: Document) -> None:
        self._remembered[text] = document
        self.remembered_characters += len(text)
        while self.remembered_characters > REMEMBERED_CHARACTERS:
            oldest, _ = self._remembered.popitem(last=False)
            self.remembered_characters -= len(oldest)


def _too_large(too_large: Excess) -> GraphQLError:
    error = coded(QUERY_TOO_LARGE, too_large.message)
    if too_large.cost is not None and error.extensions is not None:
        error.extensions["cost"] = too_large.cost
    return error


def _is_operation(node: DefinitionNode) -> TypeGuard[OperationDefinitionNode]:
    return isinstance(node, OperationDefinitionNode)


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
        _judgement: Judgement | None = None

        def on_parse(self) -> Iterator[None]:
            execution = self.execution_context
            self._document = documents.read(execution.query or "")
            execution.graphql_document = self._document.node
            yield

        def on_validate(self) -> Iterator[None]:
            execution = self.execution_context
            self._judgement = documents.judge(
                self._document,
                execution.schema._schema,  # noqa: SLF001 - strawberry has no other name for the schema it built
                execution.operation_name,
                execution.variables,
            )
            execution.pre_execution_errors = list(self._judgement.errors)
            yield

        def get_results(self) -> dict[str, Any]:
            """Beside the answer. Events of subscriptions carry nothing: many watchers share them."""
            return {} if self._judgement is None else self._judgement.extensions

    return Preparing

"""The schema: every noun's fields under three roots, each root field behind a viewer."""

import functools
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import Any

import strawberry
from graphql import GraphQLError, GraphQLField, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.tools import merge_types
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.graphql import OperationType

from weft.domain.access import Role
from weft.domain.errors import Unauthenticated
from weft.graphql import (
    audit,
    datastore_tables,
    datastores,
    deliveries,
    entities,
    entity_types,
    events,
    file_mutations,
    firings,
    imports,
    integrations,
    keys,
    progress,
    providers,
    run_events,
    run_logs,
    run_mutations,
    run_watching,
    runs,
    schedule_mutations,
    schedules,
    sharing,
    steps,
    templates,
    triggers,
    webhook_triggers,
    workflows,
)
from weft.graphql.context import Context
from weft.graphql.documents import Documents, preparing
from weft.graphql.errors import BAD_REQUEST, coded, translated
from weft.graphql.execution import WeftExecutor
from weft.graphql.limits import QueryLimits
from weft.graphql.live import SHARED
from weft.graphql.nodes import NodeQuery
from weft.graphql.plain_fields import mark_plain_fields
from weft.graphql.scalars import SCALARS
from weft.graphql.trusted import TrustedDocuments
from weft.graphql.wording import describe

_WAYS = {
    OperationType.QUERY: "A query is sent by POST or GET.",
    OperationType.MUTATION: "A mutation is sent by POST.",
    OperationType.SUBSCRIPTION: "A subscription needs a websocket (graphql-transport-ws), or `Accept: text/event-stream`, or "
    "`Accept: multipart/mixed;subscriptionSpec=1.0`.",
}

Query = merge_types(
    "Query",
    (
        NodeQuery,
        keys.KeyQuery,
        audit.AuditQuery,
        entity_types.EntityTypeQuery,
        entities.EntityQuery,
        imports.ImportQuery,
        providers.ProviderQuery,
        steps.StepQuery,
        workflows.WorkflowQuery,
        sharing.SharingQuery,
        templates.TemplateQuery,
        triggers.TriggerQuery,
        runs.RunQuery,
        datastores.DatastoreQuery,
        integrations.IntegrationQuery,
        deliveries.DeliveryQuery,
        schedules.ScheduleQuery,
        webhook_triggers.WebhookTriggerQuery,
        events.EventQuery,
        firings.FiringQuery,
    ),
)
Mutation = merge_types(
    "Mutation",
    (
        keys.KeyMutation,
        entity_types.EntityTypeMutation,
        entities.EntityMutation,
        imports.ImportMutation,
        file_mutations.FileMutation,
        providers.ProviderMutation,
        workflows.WorkflowMutation,
        sharing.SharingMutation,
        templates.TemplateMutation,
        run_mutations.RunMutation,
        datastore_tables.DatastoreTableMutation,
        datastores.DatastoreMutation,
        integrations.IntegrationMutation,
        deliveries.DeliveryMutation,
        schedule_mutations.ScheduleMutation,
        webhook_triggers.WebhookTriggerMutation,
        events.EventMutation,
    ),
)
Subscription = merge_types(
    "Subscription",
    (
        progress.ProgressSubscription,
        run_events.RunEventSubscription,
        run_logs.RunLogSubscription,
        run_watching.RunSubscription,
        imports.ImportSubscription,
    ),
)


class WeftSchema(strawberry.Schema):
    """Errors leave it translated, whichever way an operation is executed."""

    def __init__(
        self,
        limits: QueryLimits | None = None,
        *,
        introspection: bool = True,
        trusted: TrustedDocuments | None = None,
    ) -> None:
        """Raises StartupError where a trusted document is one that would be refused."""
        self.documents = Documents(limits or QueryLimits(), introspection=introspection, trusted=trusted)
        super().__init__(
            query=Query,
            mutation=Mutation,
            subscription=Subscription,
            types=run_events.EVENT_TYPES,
            extensions=[preparing(self.documents)],
            execution_context_class=WeftExecutor,
            config=StrawberryConfig(scalar_map=SCALARS),
        )
        for root in self.roots:
            for field in root.fields.values():
                guard(field)
        describe(self._schema)
        mark_plain_fields(self._schema)
        self.documents.check_trusted(self._schema)
        self.shared_fields = _shared_fields(self._schema)
        """Of the subscription root: those whose executions are shared (`weft.graphql.live`)."""

    @property
    def roots(self) -> list[GraphQLObjectType]:
        core = self._schema
        return [root for root in (core.query_type, core.mutation_type, core.subscription_type) if root is not None]

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: `translated` logs what has to be logged."""

    async def execute(
        self,
        query: str | None,
        *args: Any,
        context_value: Any = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        **kwargs: Any,
    ) -> ExecutionResult:
        result = self.documents.refusal(query, operation_name, _role(context_value))
        if result is None:
            try:
                result = await super().execute(
                    query,
                    *args,
                    context_value=context_value,
                    operation_name=operation_name,
                    allowed_operation_types=set(allowed_operation_types or OperationType)
                    - {OperationType.SUBSCRIPTION},
                    **kwargs,
                )
            except InvalidOperationTypeError as error:
                result = ExecutionResult(None, [coded(BAD_REQUEST, _WAYS[error.operation_type])])
        return _translate(result, context_value)

    async def stream(
        self, query: str | None, *args: Any, context_value: Any = None, operation_name: str | None = None, **kwargs: Any
    ) -> AsyncGenerator[Any]:
        refusal = self.documents.refusal(query, operation_name, _role(context_value))
        if refusal is not None:
            return _alone(_translate(refusal, context_value))
        source = await super().stream(
            query, *args, context_value=context_value, operation_name=operation_name, **kwargs
        )
        return _translating(source, context_value)


def _shared_fields(schema: GraphQLSchema) -> frozenset[str]:
    root = schema.subscription_type
    fields: dict[str, GraphQLField] = {} if root is None else root.fields
    defined = {name: field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF] for name, field in fields.items()}
    return frozenset(name for name, definition in defined.items() if SHARED.items() <= definition.metadata.items())


def _translate(result: ExecutionResult, context: Context) -> ExecutionResult:
    if result.errors:
        result.errors = translated(result.errors, context)
    return result


def _role(context: Context) -> Role | None:
    return None if isinstance(context.caller, Unauthenticated) else context.caller.role


async def _alone(result: ExecutionResult) -> AsyncGenerator[Any]:
    yield result


async def _translating(source: Any, context: Context) -> AsyncGenerator[Any]:
    async with aclosing(source):
        async for result in source:
            yield _translate(result, context)


def guard(field: GraphQLField) -> None:
    """Let a root field begin only for a known viewer. The function itself is wrapped, so no noun can forget it."""
    if field.subscribe is not None:
        field.subscribe = _guarded(field.subscribe)
    elif field.resolve is not None:
        field.resolve = _guarded(field.resolve)


def _guarded(resolve: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(resolve)
    def guarded(source: Any, info: GraphQLResolveInfo[Context], **arguments: Any) -> Any:
        _ = info.context.viewer  # raises Unauthenticated
        return resolve(source, info, **arguments)

    return guarded

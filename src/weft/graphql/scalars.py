"""Scalars, and the domain's enums as GraphQL enums."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, NewType, TypeVar, cast

import strawberry
from graphql import GraphQLError
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.scalar import ScalarDefinition

from weft.domain import (
    access,
    datastore,
    definition,
    delivery,
    entity,
    errors,
    files,
    imports,
    integration,
    outside,
    page,
    progress,
    providers,
    run,
    run_webhook,
    schedule,
    step,
    trigger,
    webhooks,
    workflow,
)
from weft.kit.enum_docs import described
from weft.operations import run_watching
from weft.operations.run_events import asking

EnumT = TypeVar("EnumT", bound=Enum)

BigInt = NewType("BigInt", int)
"""A count that may pass 2^31. A JSON number: exact in every client up to 2^53."""

_DURATION = re.compile(
    r"P(?!$)(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,8})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,8})H)?(?:(?P<minutes>\d{1,10})M)?(?:(?P<seconds>\d{1,12}(?:\.\d{1,6})?)S)?)?",
    re.ASCII,
)


def format_datetime(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_datetime(value: object) -> datetime:
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            parsed = None
        if parsed is not None and parsed.tzinfo is not None:
            return parsed.astimezone(UTC)
    raise ValueError(f"{value!r} is not a time with its zone, such as 2026-01-31T09:30:00Z.")


def format_duration(value: timedelta) -> str:
    """ISO 8601 in days, hours, minutes and seconds: `P1DT2H`, `PT1.5S`, `PT0S`."""
    sign, value = ("-", -value) if value < timedelta(0) else ("", value)
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{value.microseconds:06d}".rstrip("0").rstrip(".")
    clock = (
        f"{hours}H" * bool(hours)
        + f"{minutes}M" * bool(minutes)
        + f"{seconds}{fraction}S" * (fraction + str(seconds) != "0")
    )
    days = f"{value.days}D" * bool(value.days)
    return f"{sign}P{days}{'T' * bool(clock)}{clock}" if days or clock else "PT0S"


def parse_duration(value: object) -> timedelta:
    """Weeks to seconds. Years and months are refused: they have no fixed length."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(
            f"{value!r} is not a duration in weeks, days, hours, minutes or seconds, such as PT10S or P1DT12H."
        )
    return timedelta(**{unit: float(number) for unit, number in match.groupdict().items() if number})


def parse_big_int(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is not a whole number.")


def parse_decimal(value: object) -> Decimal:
    """From a text, or a whole number: a fraction as a JSON number is no longer exact when it comes here."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        try:
            parsed = Decimal(value)
        except InvalidOperation:
            parsed = Decimal("NaN")
        if parsed.is_finite():
            return parsed
    raise ValueError(f"{value!r:.100} is not a decimal number as a text, such as '0.25'.")


def _parsing(parse: Callable[[object], Any]) -> Callable[[object], Any]:
    """With its mistakes as GraphQL errors: of a literal, graphql-core takes only those for the caller's."""

    def parse_value(value: object) -> Any:
        try:
            return parse(value)
        except ValueError as error:
            raise GraphQLError(str(error)) from error

    return parse_value


SCALARS: Mapping[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A point in time by RFC 3339, in UTC: `2026-01-31T09:30:00Z`. Other zones are accepted as input.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc3339",
        serialize=format_datetime,
        parse_value=_parsing(parse_datetime),
    ),
    timedelta: strawberry.scalar(
        name="Duration",
        description="A span of time by ISO 8601, without years and months: `PT10S`, `P1DT12H`.",
        specified_by_url="https://www.iso.org/iso-8601-date-and-time-format.html",
        serialize=format_duration,
        parse_value=_parsing(parse_duration),
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description="An exact decimal number, as a text: `0.000125`.",
        serialize=lambda value: format(value, "f"),
        parse_value=_parsing(parse_decimal),
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number that may be larger than 2^31. It is a JSON number.",
        serialize=int,
        parse_value=_parsing(parse_big_int),
    ),
}

ENUMS: tuple[type[Enum], ...] = (
    access.Role,
    asking.RunEventKind,
    datastore.DatastoreKind,
    datastore.TlsMode,
    definition.Backoff,
    definition.OnFailure,
    delivery.DeliveryKind,
    delivery.DeliveryStatus,
    entity.FilterOp,
    errors.ErrorCode,
    files.UploadStatus,
    imports.ImportFormat,
    imports.ImportStatus,
    imports.OnConflict,
    integration.IntegrationType,
    outside.ColumnKind,
    page.Direction,
    progress.RunStatus,
    providers.ProviderKind,
    run.ItemStatus,
    run.LogLevel,
    run.StepStatus,
    run.TriggerType,
    run_watching.RunChangeKind,
    run_webhook.RunWebhookStatus,
    schedule.CatchUp,
    schedule.Overlap,
    step.Shape,
    step.StepCategory,
    trigger.FiringOutcome,
    webhooks.WebhookScheme,
    workflow.WorkflowOrder,
    workflow.WorkflowStatus,
)


def documented(enum: type[EnumT]) -> type[EnumT]:
    """Makes the enum one of GraphQL, with the words of its docstring for itself and for each of its values.

    In place, so that a type annotated with the domain's enum is a GraphQL enum without a second name for it.
    """
    whole, members = described(enum)
    definition = cast(
        "StrawberryEnumDefinition", vars(strawberry.enum(enum, description=whole))["__strawberry_definition__"]
    )
    for value in definition.values:
        value.description = members.get(value.name)
    return enum


for _enum in ENUMS:
    documented(_enum)

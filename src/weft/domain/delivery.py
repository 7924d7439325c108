"""Deliveries: outgoing messages, each with the attempts to send it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypedDict

from weft.domain.ids import UUID
from weft.domain.integration import IntegrationType


class DeliveryStatus(StrEnum):
    """How far an outgoing message is.

    PENDING: Waits for its first attempt, or for the next one.
    SENDING: An attempt is under way.
    DELIVERED: The receiver took it.
    FAILED: Given up after the last attempt, refused for good, or without a receiver: `errorCode` and `error` say why.
    """

    PENDING = "PENDING"
    SENDING = "SENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"

    @property
    def is_terminal(self) -> bool:
        return self in {DeliveryStatus.DELIVERED, DeliveryStatus.FAILED}


class DeliveryKind(StrEnum):
    """What an outgoing message is about.

    MESSAGE: From a step, tried until it arrives.
    TEST: Asked for by somebody who waits for the answer; tried once.
    RUN: How a run goes on, for its `webhookUrl`; tried until it arrives, or until a newer one takes its place.
    """

    MESSAGE = "MESSAGE"
    TEST = "TEST"
    RUN = "RUN"


class Message(TypedDict, total=False):
    """What is to be said; each type of integration makes of it what it can show."""

    subject: str
    text: str
    data: Mapping[str, Any]
    """Values that go with the text: in scope of the texts of an email, and in the body of a webhook."""
    payload: Mapping[str, Any]
    """The whole body of a webhook, in place of the usual one."""


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A message that a step of a run wants sent."""

    id: UUID
    integration: str
    """Its id or its name."""
    ordinal: int
    """Of the item in its run."""
    step_id: str
    message: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delivery:
    id: UUID
    """Goes along with the message, the same at every attempt: receivers know a repetition by it."""
    workspace_id: UUID
    number: int
    """Rises with every delivery that is made: lists are sorted by it."""
    kind: DeliveryKind
    lane: UUID
    """What goes to one receiver shares a lane: the limit of what is under way, and the time it asks for."""
    integration_id: UUID | None
    integration_name: str
    """As it was when the delivery was made; it may be gone by now. Of what a run tells, the host."""
    integration_type: IntegrationType | None
    """None where there was no such integration."""
    run_id: UUID | None
    ordinal: int | None
    step_id: str | None
    message: Mapping[str, Any]
    status: DeliveryStatus
    attempts: int
    next_at: datetime | None
    """When the next attempt is due; while it is SENDING, when another worker may take over. None once it has ended."""
    token: int
    """Raised by every claim: only who claimed last may write what became of it."""
    series_start: int
    """Attempts before the current series: sending again begins another one."""
    error_code: str | None
    error: str | None
    """Why the last attempt failed, or why there is none."""
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    delivery_id: UUID
    number: int
    """From 1."""
    started_at: datetime
    duration: timedelta | None
    """None while it goes on, and where the worker ended before it could tell."""
    status_code: int | None
    """The status of HTTP, or the reply code of SMTP."""
    error_code: str | None
    error: str | None
    excerpt: str | None
    """How the receiver's answer begins."""


@dataclass(frozen=True, slots=True)
class AttemptOutcome:
    """How one attempt came out: it arrived, is worth another one, or is refused for good."""

    arrived: bool
    final: bool
    status_code: int | None = None
    error_code: str | None = None
    error: str | None = None
    excerpt: str | None = None
    after: timedelta | None = None
    """How long the receiver asks to be left alone."""


def arrived(status_code: int | None, excerpt: str | None = None) -> AttemptOutcome:
    return AttemptOutcome(arrived=True, final=True, status_code=status_code, excerpt=excerpt)


def postponed(
    code: str,
    error: str,
    *,
    status_code: int | None = None,
    excerpt: str | None = None,
    after: timedelta | None = None,
) -> AttemptOutcome:
    """Failed this time, and may work later."""
    return AttemptOutcome(
        arrived=False,
        final=False,
        status_code=status_code,
        error_code=code,
        error=error,
        excerpt=excerpt,
        after=after,
    )


def refused(code: str, error: str, *, status_code: int | None = None, excerpt: str | None = None) -> AttemptOutcome:
    """Failed, and trying again will not help."""
    return AttemptOutcome(
        arrived=False, final=True, status_code=status_code, error_code=code, error=error, excerpt=excerpt
    )

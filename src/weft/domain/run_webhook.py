"""Run webhooks: the address that whoever started a run gave, to be told how it goes on.

Messages are of three kinds, and told in this order: that the run started, how far it is (again and again, the newest state
only), and how it ended. Each names the revision of the state that it tells, which rises from message to message.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from weft.domain.delivery import DeliveryStatus
from weft.domain.ids import UUID


class RunNews(StrEnum):
    """What a message is about."""

    STARTED = "STARTED"
    PROGRESS = "PROGRESS"
    ENDED = "ENDED"


class RunWebhookStatus(StrEnum):
    """How far what a run tells its webhook is.

    ACTIVE: The run goes on, or its end is about to be told.
    RETRYING: The newest message did not arrive yet and is tried again.
    FAILED: The newest message was given up; of a run that goes on, only the end will be told.
    DELIVERED: The end of the run was told, and arrived.
    """

    ACTIVE = "ACTIVE"
    RETRYING = "RETRYING"
    FAILED = "FAILED"
    DELIVERED = "DELIVERED"


@dataclass(frozen=True, slots=True)
class RunWebhook:
    run_id: UUID
    workspace_id: UUID
    host: str
    sealed: bytes = field(repr=False)
    """URL and secret, under the server's secret key."""
    told: RunNews | None
    """What the newest message is about; None before the first."""
    told_revision: int | None
    last: DeliveryStatus | None
    """How the newest message fares; None before the first, and when it is too old to be on record."""
    last_attempts: int
    """How often it was tried."""

    @property
    def status(self) -> RunWebhookStatus | None:
        """None where the end was told so long ago that it is no longer on record whether that arrived."""
        if self.told is None:
            return RunWebhookStatus.ACTIVE
        match self.last:
            case DeliveryStatus.PENDING | DeliveryStatus.SENDING:
                again = self.last_attempts > (1 if self.last is DeliveryStatus.SENDING else 0)
                return RunWebhookStatus.RETRYING if again else RunWebhookStatus.ACTIVE
            case DeliveryStatus.FAILED:
                return RunWebhookStatus.FAILED
            case DeliveryStatus.DELIVERED if self.told is RunNews.ENDED:
                return RunWebhookStatus.DELIVERED
            case None if self.told is RunNews.ENDED:
                return None
            case _:
                return RunWebhookStatus.ACTIVE

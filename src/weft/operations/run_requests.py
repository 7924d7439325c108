"""What starting and retrying a run share: the workflow it is of, the idempotency key, and the answer."""

import asyncio
import hashlib
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Viewer
from weft.domain.errors import Conflict, Invalid, NotFound
from weft.domain.ids import UUID
from weft.domain.run import Run
from weft.domain.workflow import Workflow, WorkflowStatus
from weft.operations.idempotency_keys import check_key
from weft.operations.progress import wait_for_end
from weft.operations.run_webhooks import WebhookWanted
from weft.operations.runs import get_run
from weft.operations.services import Services
from weft.operations.workflows import COPY_FIRST
from weft.storage import idempotency, workflows


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What a request that makes a run may say beside what is to be run."""

    idempotency_key: str | None = None
    wait: timedelta | None = None
    """Answer when the run has ended, or after this time, whichever is first."""
    webhook: WebhookWanted | None = field(default=None, repr=False)
    """Who is to be told how the run goes on."""
    new_run_id: UUID | None = field(default=None, repr=False)
    """What the run is called if this request makes it, and does not repeat another; left out, any."""


async def runnable(connection: AsyncConnection, viewer: Viewer, workflow_id: UUID) -> Workflow:
    workflow = await workflows.get(connection, viewer.workspace_id, workflow_id)
    if workflow is None:
        raise NotFound(f"There is no workflow {workflow_id} in this workspace.", path=("workflowId",), hint=COPY_FIRST)
    if workflow.status is not WorkflowStatus.ACTIVE:
        raise Conflict(
            f"The workflow {workflow.name!r} is {workflow.status}; only an ACTIVE one can be run.",
            path=("workflowId",),
            hint="Set its status to ACTIVE with updateWorkflow.",
        )
    return workflow


async def made_before(
    connection: AsyncConnection, viewer: Viewer, operation: str, wanted: RunRequest, run_id: UUID
) -> UUID | None:
    """The run that an earlier request with the same idempotency key made."""
    if wanted.idempotency_key is None:
        return None
    key = wanted.idempotency_key
    check_key(key)
    # How long to wait for the answer is no part of what is asked for.
    body = replace(wanted, idempotency_key=None, wait=None)
    told = b"" if wanted.webhook is None else wanted.webhook.digest()
    digest = hashlib.sha256(repr(body).encode() + told).digest()
    return await idempotency.claim(connection, viewer.workspace_id, operation, key, digest, run_id)


async def started(services: Services, viewer: Viewer, run_id: UUID, wait: timedelta | None) -> Run:
    # The workers are told while the run is read: neither waits for the other.
    waking = asyncio.create_task(services.wakeups.wake())
    try:
        if wait is not None:
            await wait_for_end(services, viewer, run_id, wait.total_seconds())
        run = await get_run(services, viewer, run_id)
    finally:
        await waking
    if run is None:
        raise NotFound(f"The run {run_id} was deleted.")
    return run


def check_wait(services: Services, wait: timedelta | None) -> None:
    longest = services.limits.wait_seconds
    if wait is not None and not timedelta() <= wait <= timedelta(seconds=longest):
        raise Invalid(
            f"`wait` is 0 to {longest:g} seconds.",
            path=("wait",),
            hint="Watch longer runs with the subscription runProgress.",
        )

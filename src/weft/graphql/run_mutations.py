"""Starting, retrying and steering runs."""

from datetime import timedelta
from enum import StrEnum
from typing import Any, cast

import strawberry
from strawberry.scalars import JSON

from weft.domain import run as domain
from weft.domain.errors import Invalid
from weft.domain.ids import new_id
from weft.domain.run import Selection
from weft.graphql.context import Info
from weft.graphql.entity_inputs import EntitySelectionInput, read_selection
from weft.graphql.mutations import Answer, UserError, mutation
from weft.graphql.nodes import read_id
from weft.graphql.runs import Run
from weft.graphql.scalars import documented
from weft.operations import runs
from weft.operations.run_requests import RunRequest
from weft.operations.run_retries import RetryRun, retry_run
from weft.operations.run_starts import StartRun, start_run
from weft.operations.run_webhooks import WebhookWanted

_IDEMPOTENCY_KEY = "The same key with the same input gives the same run; with another input it is refused."
_WEBHOOK_URL = (
    "Is told that the run started, how far it is (once a second at most), and how it ended, with its result. Signed as "
    "Standard Webhooks; in the order of `revision`; tried again until it arrives. "
    "A private address needs WEFT_ALLOWED_HOSTS, or the messages fail."
)
_SIGNED_WITH = "What those messages are signed with: `whsec_` and base64. Left out, one is made and shown once."
_WAIT = "Answer when the run is over, or after this time, whichever is first."


@strawberry.input
class RunWorkflowInput:
    workflow_id: strawberry.ID
    entities: EntitySelectionInput | None = strawberry.field(
        default=None, description="On which entities; left out for a workflow that runs on its input alone."
    )
    input: JSON | None = strawberry.field(default=None, description="Checked against the workflow's `inputSchema`.")
    parameters: JSON | None = strawberry.field(
        default=None, description="An object, checked against the workflow's `parametersSchema`."
    )
    priority: int = strawberry.field(default=0, description="-100 to 100; runs of a higher one are served first.")
    concurrency: int | None = strawberry.field(
        default=None, description="Items under way at once, at most: 1 to 10,000. Left out, no limit."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=_IDEMPOTENCY_KEY)
    wait: timedelta | None = strawberry.field(default=None, description=_WAIT)
    webhook_url: str | None = strawberry.field(default=None, description=_WEBHOOK_URL)
    webhook_secret: str | None = strawberry.field(default=None, description=_SIGNED_WITH)


@documented
class RetryScope(StrEnum):
    """Which items of a run are tried again.

    FAILED: Those that failed; completed, skipped and cancelled ones are left as they are.
    """

    FAILED = "FAILED"


@strawberry.input
class RetryRunInput:
    run_id: strawberry.ID
    only: RetryScope = strawberry.field(default=RetryScope.FAILED, description="Which of its items are tried again.")
    from_failed_step: bool = strawberry.field(
        default=True, description="Take over what completed before; false begins again with the first step."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=_IDEMPOTENCY_KEY)
    wait: timedelta | None = strawberry.field(default=None, description=_WAIT)
    webhook_url: str | None = strawberry.field(default=None, description=_WEBHOOK_URL)
    webhook_secret: str | None = strawberry.field(default=None, description=_SIGNED_WITH)


@strawberry.input
class RunIdInput:
    run_id: strawberry.ID


@strawberry.type
class RunPayload:
    run: Run | None
    webhook_secret: str | None = strawberry.field(
        description="What messages to `webhookUrl` are signed with, where it was made just now. Nobody can ever read it again."
    )
    errors: list[UserError]


@strawberry.type
class RunMutation:
    @mutation(RunPayload, description="Start a run of the workflow's current version. For runners.")
    async def run_workflow(self, info: Info, input: RunWorkflowInput) -> Answer:
        wanted = StartRun(
            workflow_id=read_id(input.workflow_id, "Workflow", "workflowId"),
            selection=Selection() if input.entities is None else read_selection(input.entities, "entities"),
            input=input.input,
            parameters=read_parameters(input.parameters),
            priority=input.priority,
            concurrency=input.concurrency,
            idempotency_key=input.idempotency_key,
            wait=input.wait,
            webhook=_webhook(input.webhook_url, input.webhook_secret),
            new_run_id=new_id(),
        )
        run = await start_run(info.context.services, info.context.viewer, wanted)
        return Answer(run=run, webhook_secret=_made_secret(wanted, run))

    @mutation(RunPayload, description="A new run over the failed items of one that is over. For runners.")
    async def retry_run(self, info: Info, input: RetryRunInput) -> Answer:
        wanted = RetryRun(
            run_id=read_id(input.run_id, "Run", "runId"),
            from_failed_step=input.from_failed_step,
            idempotency_key=input.idempotency_key,
            wait=input.wait,
            webhook=_webhook(input.webhook_url, input.webhook_secret),
            new_run_id=new_id(),
        )
        run = await retry_run(info.context.services, info.context.viewer, wanted)
        return Answer(run=run, webhook_secret=_made_secret(wanted, run))

    @mutation(RunPayload, description="End the run now; what is not finished is cancelled. For runners.")
    async def cancel_run(self, info: Info, input: RunIdInput) -> Answer:
        run_id = read_id(input.run_id, "Run", "runId")
        return Answer(run=await runs.cancel_run(info.context.services, info.context.viewer, run_id))

    @mutation(RunPayload, description="Begin no further item until the run is resumed. For runners.")
    async def pause_run(self, info: Info, input: RunIdInput) -> Answer:
        run_id = read_id(input.run_id, "Run", "runId")
        return Answer(run=await runs.pause_run(info.context.services, info.context.viewer, run_id))

    @mutation(RunPayload, description="Go on with a paused run. For runners.")
    async def resume_run(self, info: Info, input: RunIdInput) -> Answer:
        run_id = read_id(input.run_id, "Run", "runId")
        return Answer(run=await runs.resume_run(info.context.services, info.context.viewer, run_id))


def _webhook(url: str | None, secret: str | None) -> WebhookWanted | None:
    if url is not None:
        return WebhookWanted(url, secret)
    if secret is not None:
        raise Invalid("A secret without `webhookUrl` signs nothing.", path=("webhookSecret",))
    return None


def _made_secret(wanted: RunRequest, run: domain.Run) -> str | None:
    """Only for the request that made the run: one that repeats it made a secret that nobody uses."""
    hook = wanted.webhook
    made = hook is not None and hook.given_secret is None and run.id == wanted.new_run_id
    return hook.made_secret if hook is not None and made else None


def read_parameters(given: object) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise Invalid("Parameters are an object: a value for each name.", path=("parameters",))
    return cast("dict[str, Any]", given)

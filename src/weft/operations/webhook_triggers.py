"""Webhook triggers: where other services call, made by editors. Their secrets are shown once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.auth.hook_links import hook_token
from weft.domain.access import Role, Viewer
from weft.domain.errors import Conflict, Invalid, LimitExceeded, NotFound, Problem
from weft.domain.ids import UUID, new_id
from weft.domain.page import Page, PageRequest
from weft.domain.webhooks import WebhookScheme, WebhookTrigger
from weft.operations.services import Services
from weft.operations.webhook_checks import Settings, check_start, checked
from weft.operations.webhook_endpoints import identity
from weft.storage import audit, webhook_triggers, workflows
from weft.triggers.webhooks import SCHEMES

HOOKS = "/hooks/"
"""Under this path of the public URL calls come in."""
OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=30)
MOST_OF_WORKFLOW = 100


@dataclass(frozen=True, slots=True)
class SavedWebhookTrigger:
    webhook_trigger: WebhookTrigger
    secret: str | None = field(default=None, repr=False)
    """What calls are signed with, where it is new. Nobody can ever read it again."""


async def create_webhook_trigger(
    services: Services,
    viewer: Viewer,
    workflow_id: UUID,
    scheme: WebhookScheme,
    settings: Settings,
    *,
    secret: str | None = None,
) -> SavedWebhookTrigger:
    viewer.need(Role.EDITOR)
    problems: list[Problem] = []
    given = checked(settings, problems)
    secret = _secret_of(scheme, secret, problems)
    _raise_any(problems)
    now, trigger_id = services.clock(), new_id()
    made = WebhookTrigger(
        id=trigger_id,
        workspace_id=viewer.workspace_id,
        workflow_id=workflow_id,
        **given.columns(),
        revision=1,
        created_by=viewer.key_name,
        created_at=now,
        updated_at=now,
        scheme=scheme,
        sealed=_sealed(services, viewer, trigger_id, secret),
        previous_sealed=None,
        previous_until=None,
    )
    async with services.database.transaction() as connection:
        await _hold_workflow(connection, viewer, workflow_id)
        await check_start(services, connection, viewer, made)
        await webhook_triggers.add(connection, made)
        details = {"name": made.name, "scheme": scheme, "workflow": str(workflow_id)}
        await audit.record(connection, viewer, "webhookTrigger.created", trigger_id, details)
    return SavedWebhookTrigger(made, secret)


async def update_webhook_trigger(
    services: Services,
    viewer: Viewer,
    trigger_id: UUID,
    changes: dict[str, Any],
    *,
    expected_revision: int | None = None,
) -> WebhookTrigger:
    """Sets the given fields of `Settings`; with `expected_revision` refused when somebody else changed it meanwhile."""
    viewer.need(Role.EDITOR)
    async with services.database.transaction() as connection:
        current = await _locked(connection, viewer, trigger_id)
        if expected_revision not in {None, current.revision}:
            raise Conflict(
                f"The trigger is at revision {current.revision} by now.",
                path=("expectedRevision",),
                hint="Read it again and apply your change to what it is now.",
            )
        problems: list[Problem] = []
        given = checked(replace(Settings.of(current), **changes), problems)
        _raise_any(problems)
        values = given.columns()
        await check_start(services, connection, viewer, replace(current, **values))
        changed = await webhook_triggers.change(connection, current, values)
        details = {"fields": sorted(changes), "revision": changed.revision}
        await audit.record(connection, viewer, "webhookTrigger.updated", trigger_id, details)
    return changed


async def rotate_webhook_trigger_secret(
    services: Services,
    viewer: Viewer,
    trigger_id: UUID,
    *,
    secret: str | None = None,
    overlap: timedelta = OVERLAP,
) -> SavedWebhookTrigger:
    """A new secret; the one before it counts for the time of the overlap, and any older one no more."""
    viewer.need(Role.EDITOR)
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid(f"The overlap is 0 to {LONGEST_OVERLAP.days} days.", path=("overlap",))
    async with services.database.transaction() as connection:
        current = await _locked(connection, viewer, trigger_id)
        problems: list[Problem] = []
        secret = _secret_of(current.scheme, secret, problems)
        _raise_any(problems)
        values: dict[str, Any] = {
            "sealed": _sealed(services, viewer, trigger_id, secret),
            "previous_sealed": current.sealed if overlap else None,
            "previous_until": services.clock() + overlap if overlap else None,
        }
        changed = await webhook_triggers.change(connection, current, values)
        details = {"overlapSeconds": int(overlap.total_seconds()), "revision": changed.revision}
        await audit.record(connection, viewer, "webhookTrigger.secretRotated", trigger_id, details)
    return SavedWebhookTrigger(changed, secret)


async def delete_webhook_trigger(services: Services, viewer: Viewer, trigger_id: UUID) -> WebhookTrigger:
    """Calls that were stored before still run."""
    viewer.need(Role.EDITOR)
    async with services.database.transaction() as connection:
        removed = await _locked(connection, viewer, trigger_id)
        await webhook_triggers.remove(connection, viewer.workspace_id, trigger_id)
        await audit.record(connection, viewer, "webhookTrigger.deleted", trigger_id, {"name": removed.name})
    return removed


def url_of(services: Services, viewer: Viewer, trigger: WebhookTrigger) -> str | None:
    """Where its calls go; None for those who may not change it."""
    if not viewer.role.may(Role.EDITOR) or trigger.workspace_id != viewer.workspace_id:
        return None
    return f"{services.public_url}{HOOKS}{hook_token(trigger.id, services.secret_key)}"


async def load_webhook_triggers(services: Services, viewer: Viewer, ids: Sequence[UUID]) -> list[WebhookTrigger | None]:
    """In the order of the ids."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await webhook_triggers.by_ids(connection, viewer.workspace_id, ids)
    return [found.get(one) for one in ids]


async def load_of_workflows(
    services: Services, viewer: Viewer, workflow_ids: Sequence[UUID]
) -> list[list[WebhookTrigger]]:
    """Those of each workflow, in the order they were made."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await webhook_triggers.of_workflows(connection, viewer.workspace_id, workflow_ids)
    return [[one for one in found if one.workflow_id == workflow_id] for workflow_id in workflow_ids]


async def list_webhook_triggers(
    services: Services, viewer: Viewer, page: PageRequest, *, workflow_id: UUID | None = None
) -> Page[WebhookTrigger]:
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        return await webhook_triggers.page(connection, viewer.workspace_id, page, workflow_id=workflow_id)


def _secret_of(scheme: WebhookScheme, given: str | None, problems: list[Problem]) -> str:
    """The given secret, or one made here where the scheme lets us."""
    rules = SCHEMES[scheme]
    if given is None and rules.new_secret is not None:
        return rules.new_secret()
    if given is None:
        problems.append(
            Problem(
                Invalid.code, f"A secret is needed: {rules.secret_rule}.", ("secret",), "The service shows it to you."
            )
        )
        return ""
    if rules.key_of(given) is None:
        problems.append(Problem(Invalid.code, f"The secret has to be {rules.secret_rule}.", ("secret",)))
    return given


def _sealed(services: Services, viewer: Viewer, trigger_id: UUID, secret: str) -> bytes:
    return services.world.secrets.seal(secret.encode(), identity(viewer.workspace_id, trigger_id))


async def _hold_workflow(connection: AsyncConnection, viewer: Viewer, workflow_id: UUID) -> None:
    """It is not deleted, and gets no other trigger, until the end of the transaction."""
    if await workflows.lock(connection, viewer.workspace_id, workflow_id) is None:
        raise NotFound("There is no such workflow in this workspace.", path=("workflowId",))
    made = await webhook_triggers.of_workflows(connection, viewer.workspace_id, [workflow_id])
    if len(made) >= MOST_OF_WORKFLOW:
        raise LimitExceeded(f"The workflow has {len(made)} webhook triggers already.", path=("workflowId",))


async def _locked(connection: AsyncConnection, viewer: Viewer, trigger_id: UUID) -> WebhookTrigger:
    found = await webhook_triggers.lock(connection, viewer.workspace_id, trigger_id)
    if found is None:
        raise NotFound("There is no such webhook trigger in this workspace.", path=("id",))
    return found


def _raise_any(problems: list[Problem]) -> None:
    if problems:
        raise Invalid(problems=problems)

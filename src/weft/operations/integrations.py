"""Integrations: configured by editors, with secrets that nobody can read again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.auth.secrets import SecretUnreadable
from weft.domain.access import Role, Viewer
from weft.domain.errors import Conflict, Invalid, NotFound, Problem
from weft.domain.ids import UUID, new_id
from weft.domain.integration import EmailConfig, Integration, IntegrationConfig, IntegrationType
from weft.domain.page import Page, PageRequest
from weft.engine.deliveries.attempts import DELETED, opened, sealed
from weft.operations.integration_configs import Settings, configured
from weft.operations.labels import name_of
from weft.operations.services import Services
from weft.storage import audit, deliveries, integrations


@dataclass(frozen=True, slots=True)
class NewIntegration:
    name: str
    settings: Settings
    workflow_id: UUID | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class IntegrationChanges:
    """What is None stays as it is."""

    name: str | None = None
    settings: Settings | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class SavedIntegration:
    integration: Integration
    secret: str | None = field(default=None, repr=False)
    """What messages to a webhook are signed with, where it was made just now. Nobody can ever read it again."""


async def create_integration(services: Services, viewer: Viewer, wanted: NewIntegration) -> SavedIntegration:
    viewer.need(Role.EDITOR)
    problems: list[Problem] = []
    name = name_of(wanted.name, problems)
    made = configured(wanted.settings)
    _raise_any(*problems, *made.problems)
    _check_mail(services, made.config)
    integration_id = new_id()
    async with services.database.transaction() as connection:
        if wanted.workflow_id is not None and not await integrations.hold_workflow(
            connection, viewer.workspace_id, wanted.workflow_id
        ):
            raise NotFound("There is no such workflow in this workspace.", path=("workflowId",))
        stored = await integrations.add(
            connection,
            {
                "id": integration_id,
                "workspace_id": viewer.workspace_id,
                "workflow_id": wanted.workflow_id,
                "name": name,
                "type": made.config.type,
                "enabled": wanted.enabled,
                "created_by": viewer.key_name,
                **_columns(services, viewer, integration_id, made.config),
            },
        )
        details = {"name": name, "type": stored.type}
        await audit.record(connection, viewer, "integration.created", integration_id, details)
    return SavedIntegration(stored, made.made_secret)


async def update_integration(
    services: Services,
    viewer: Viewer,
    integration_id: UUID,
    changes: IntegrationChanges,
    *,
    expected_revision: int | None = None,
) -> SavedIntegration:
    """With `expected_revision` it is refused when somebody else changed it meanwhile. To disable it gives up what waits."""
    viewer.need(Role.EDITOR)
    problems: list[Problem] = []
    values: dict[str, Any] = {} if changes.name is None else {"name": name_of(changes.name, problems)}
    if changes.enabled is not None:
        values["enabled"] = changes.enabled
    secret: str | None = None
    async with services.database.transaction() as connection:
        current = _found(await integrations.lock(connection, viewer.workspace_id, integration_id))
        if expected_revision not in {None, current.revision}:
            raise Conflict(
                f"The integration is at revision {current.revision} by now.",
                path=("expectedRevision",),
                hint="Read it again and apply your change to what it is now.",
            )
        if changes.settings is not None:
            made = configured(changes.settings, _opened(services, current))
            problems += made.problems
            values |= _columns(services, viewer, integration_id, made.config)
            secret = made.made_secret
        _raise_any(*problems)
        changed = _found(await integrations.change(connection, viewer.workspace_id, integration_id, values))
        if current.enabled and not changed.enabled:
            await _give_up(connection, viewer, integration_id, deliveries.DISABLED, "The integration was disabled.")
        details = {"fields": sorted(values.keys() - {"sealed"}), "revision": changed.revision}
        await audit.record(connection, viewer, "integration.updated", integration_id, details)
    return SavedIntegration(changed, secret)


async def delete_integration(services: Services, viewer: Viewer, integration_id: UUID) -> Integration:
    """What waits to be sent through it fails. What was sent stays on record."""
    viewer.need(Role.EDITOR)
    async with services.database.transaction() as connection:
        removed = _found(await integrations.remove(connection, viewer.workspace_id, integration_id))
        await _give_up(connection, viewer, integration_id, DELETED, "The integration was deleted.")
        await audit.record(connection, viewer, "integration.deleted", integration_id, {"name": removed.name})
    return removed


async def load_integrations(services: Services, viewer: Viewer, ids: Sequence[UUID]) -> list[Integration | None]:
    """In the order of the ids."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await integrations.by_ids(connection, viewer.workspace_id, ids)
    return [found.get(one) for one in ids]


async def list_integrations(
    services: Services,
    viewer: Viewer,
    page: PageRequest,
    *,
    workflow_id: UUID | None = None,
    kind: IntegrationType | None = None,
) -> Page[Integration]:
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        return await integrations.page(connection, viewer.workspace_id, page, workflow_id=workflow_id, kind=kind)


def _columns(services: Services, viewer: Viewer, integration_id: UUID, config: IntegrationConfig) -> dict[str, Any]:
    return {
        "config": config.shown(),
        "sealed": sealed(services.world, config, viewer.workspace_id, integration_id),
    }


def _opened(services: Services, integration: Integration) -> IntegrationConfig:
    try:
        return opened(services.world, integration)
    except SecretUnreadable as error:
        raise Conflict(str(error), path=("config",), hint="Delete the integration and make it again.") from error


def _check_mail(services: Services, config: IntegrationConfig) -> None:
    if isinstance(config, EmailConfig) and services.world.mailer is None:
        raise Conflict(
            "This server sends no mail.",
            path=("config", "email"),
            hint="Whoever runs it can set WEFT_SMTP_URL and WEFT_MAIL_FROM.",
        )


async def _give_up(connection: AsyncConnection, viewer: Viewer, integration_id: UUID, code: str, reason: str) -> None:
    await deliveries.give_up_waiting(connection, viewer.workspace_id, integration_id, code, reason)


def _found(integration: Integration | None) -> Integration:
    if integration is None:
        raise NotFound("There is no such integration in this workspace.", path=("id",))
    return integration


def _raise_any(*problems: Problem) -> None:
    if problems:
        raise Invalid(problems=problems)

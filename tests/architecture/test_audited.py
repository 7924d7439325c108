"""Every change is in the audit log: who, what, when, from where. What was refused is not."""

from dataclasses import replace
from typing import Any

import pytest
from architecture.belongings import Belongings
from architecture.rights import MUTATIONS, Right
from architecture.walking import answered, holdings
from sqlalchemy import RowMapping, select

from weft.domain.access import Role, Viewer
from weft.operations.keys import create_api_key
from weft.operations.services import Services
from weft.storage import tables
from weft.storage.database import Database

pytestmark = pytest.mark.timeout(120)

ADDRESS = "192.0.2.7"


@pytest.fixture
async def actor(services: Services, viewer: Viewer) -> Viewer:
    """Another ADMIN of the workspace, calling from elsewhere: what is logged of this one was done by the field that is tried."""
    made = await create_api_key(services, viewer, name="the actor", role=Role.ADMIN)
    return replace(viewer, key_id=made.api_key.id, key_name="the actor", address=ADDRESS)


async def entries(database: Database, actor: Viewer) -> list[RowMapping]:
    entry = tables.audit_entry
    statement = select(entry).where(entry.c.key_id == actor.key_id).order_by(entry.c.id)
    async with database.reading() as connection:
        return list((await connection.execute(statement)).mappings())


async def test_every_mutation_that_changes_something_is_in_the_audit_log(
    services: Services, actor: Viewer, first: Belongings
) -> None:
    wrong: list[tuple[str, Any]] = []
    for right in MUTATIONS.values():
        call = await first.filled(right.call)
        held, before = await holdings(services.database, actor.workspace_id), await entries(services.database, actor)
        answer, _ = await answered(services, actor, "Mutation", call)
        assert answer["errors"] == [], right
        new = (await entries(services.database, actor))[len(before) :]
        changed = await holdings(services.database, actor.workspace_id) != held
        if changed == right.changes_nothing or changed != bool(new) or not all(map(tells_enough, new)):
            wrong.append((right.name, new))
    assert wrong == []


def tells_enough(entry: RowMapping) -> bool:
    noun, _, verb = entry["action"].partition(".")
    told = (entry["actor"], entry["address"], entry["at"] is not None)
    return told == ("the actor", ADDRESS, True) and bool(noun and verb and entry["subject_id"])


async def test_a_mutation_that_was_refused_is_not_in_the_audit_log(
    services: Services, actor: Viewer, stranger: Viewer, first: Belongings
) -> None:
    """By the role, or because what it names is not there."""
    wrong: list[Right] = []
    other = Belongings(services, stranger, "of the other workspace")
    for right in MUTATIONS.values():
        theirs = await first.with_ids(right.call)
        call = await other.filled(theirs)
        refused = [replace(actor, role=role) for role in Role if not role.may(right.least)]
        if theirs != right.call and not right.silent:
            refused.append(stranger)
        for caller in refused:
            before = await entries(services.database, caller)
            answer, errors = await answered(services, caller, "Mutation", call)
            assert errors or answer["errors"], (right, caller.role)
            if await entries(services.database, caller) != before:
                wrong.append(right)
    assert wrong == []

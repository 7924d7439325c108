"""The audit log as admins read it: each filter alone and together, and in a log of a hundred thousand entries."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asking import ask, ask_anything
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from weft.domain.access import Role, Viewer
from weft.domain.ids import UUID, first_id_at, new_id
from weft.graphql.nodes import encode_id
from weft.operations.keys import create_api_key, revoke_api_key
from weft.operations.services import Services
from weft.storage.audit_log import AuditFilter, entries

LOG = """query ($filter: AuditFilterInput, $first: Int! = 20, $after: String) { auditLog(filter: $filter, first: $first, after: $after) {
  nodes { at actor apiKeyId action subject details address } pageInfo { endCursor hasNextPage } } }"""

MANY = 100_000
FILL = text(
    """
    INSERT INTO audit_entry (id, workspace_id, at, actor, action, subject_id, details, address, key_id)
    SELECT lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0')::text
        || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15),
      :workspace, moment, 'actor ' || n % 50,
      (ARRAY['run.started', 'run.paused', 'entity.updated', 'workflow.updated', 'workflow.created'])[1 + n % 5],
      md5((n / 10)::text), '{}', '192.0.2.' || n % 200, md5((n % 60)::text)::uuid
    FROM (SELECT n, now() - (:many - n) * interval '10 seconds' AS moment FROM generate_series(1, :many) n) made
    """.replace("SELECT lpad", "SELECT (lpad").replace("4, 15),", "4, 15))::uuid,")
)


async def log(services: Services, viewer: Viewer, **given: Any) -> list[dict[str, Any]]:
    return (await ask(services, viewer, LOG, filter=given))["auditLog"]["nodes"]


@pytest.fixture
async def actors(services: Services, viewer: Viewer) -> list[Viewer]:
    """Two admins with one name, calling from different places, each of whom made and revoked a key."""
    actors: list[Viewer] = []
    for number in range(2):
        made = await create_api_key(services, viewer, name="twin", role=Role.ADMIN)
        actor = replace(viewer, key_id=made.api_key.id, key_name="twin", address=f"192.0.2.{number}")
        theirs = await create_api_key(services, actor, name=f"made by {number}", role=Role.VIEWER)
        await revoke_api_key(services, actor, theirs.api_key.id)
        actors.append(actor)
    return actors


async def test_each_filter_lets_through_what_it_says(services: Services, viewer: Viewer, actors: list[Viewer]) -> None:
    assert [one["action"] for one in await log(services, viewer, actor="twin")] == [
        "apiKey.revoked", "apiKey.created", "apiKey.revoked", "apiKey.created"
    ]  # fmt: skip
    key = encode_id("ApiKey", actors[0].key_id)
    mine = await log(services, viewer, apiKeyId=key)
    assert [(one["action"], one["apiKeyId"], one["address"]) for one in mine] == [
        ("apiKey.revoked", key, "192.0.2.0"),
        ("apiKey.created", key, "192.0.2.0"),
    ]
    assert await log(services, viewer, address="192.0.2.0") == mine
    assert len(await log(services, viewer, action="apiKey.revoked")) == 2
    assert len(await log(services, viewer, action="apiKey.*")) == 6
    assert await log(services, viewer, action="api.*") == []
    assert await log(services, viewer, action="apiKey.*", actor="twin", apiKeyId=key, address="192.0.2.1") == []


async def test_a_subject_is_found_by_its_id_and_by_what_entries_call_it(
    services: Services, viewer: Viewer, actors: list[Viewer]
) -> None:
    (newest, *_) = await log(services, viewer, address="192.0.2.1")
    by_uuid = await log(services, viewer, subject=newest["subject"])
    assert [one["action"] for one in by_uuid] == ["apiKey.revoked", "apiKey.created"]
    assert await log(services, viewer, subject=encode_id("ApiKey", newest["subject"])) == by_uuid
    assert await log(services, viewer, subject=encode_id("ApiKey", actors[0].key_id)) != by_uuid


async def test_since_is_inclusive_and_until_is_not(services: Services, viewer: Viewer, actors: list[Viewer]) -> None:
    assert actors
    everything = await log(services, viewer)
    moments = sorted(one["at"] for one in everything)
    assert await log(services, viewer, since=moments[0]) == everything
    assert [one["at"] for one in await log(services, viewer, since=moments[-1])] == [moments[-1]]
    assert moments[-1] not in [one["at"] for one in await log(services, viewer, until=moments[-1])]
    assert await log(services, viewer, until=moments[0]) == []


async def test_what_is_no_action_and_no_id_is_refused(services: Services, viewer: Viewer) -> None:
    for wrong, path in (
        ({"action": "*"}, "action"),
        ({"action": "workflow.up*"}, "action"),
        ({"action": "%.*"}, "action"),
        ({"subject": "x"}, "subject"),
        ({"apiKeyId": encode_id("Run", new_id())}, "apiKeyId"),
    ):
        _, (error,) = await ask_anything(services, viewer, LOG, filter=wrong)
        assert (error["extensions"]["code"], error["extensions"]["path"]) == ("INVALID", ["filter", path])


def test_the_first_id_of_a_moment_is_below_those_made_then() -> None:
    before, made, after = datetime.now(UTC), new_id(), datetime.now(UTC) + timedelta(milliseconds=2)
    assert first_id_at(before) <= made < first_id_at(after)
    assert first_id_at(datetime(1, 1, 1, tzinfo=UTC)) < made < first_id_at(datetime(9999, 1, 1, tzinfo=UTC))


async def test_in_a_large_log_every_filter_reads_little(services: Services, viewer: Viewer) -> None:
    async with services.database.transaction() as connection:
        await connection.execute(FILL, {"workspace": viewer.workspace_id, "many": MANY})
    async with services.database.reading() as connection:
        await connection.execute(text("VACUUM ANALYZE audit_entry"))
        now = (await connection.execute(text("SELECT now()"))).scalar_one()
    day = timedelta(days=1)
    filters = {
        "none": AuditFilter(),
        "actor": AuditFilter(actor="actor 7"),
        "nobody": AuditFilter(actor="nobody"),
        "key": AuditFilter(key_id=UUID("c4ca4238a0b923820dcc509a6f75849b")),
        "action": AuditFilter(action="workflow.created"),
        "noun": AuditFilter(noun="workflow"),
        "a noun without entries": AuditFilter(noun="schedule"),
        "subject": AuditFilter(subject_id="c4ca4238a0b923820dcc509a6f75849b"),
        "address": AuditFilter(address="192.0.2.7"),
        "an hour long ago": AuditFilter(since=now - 5 * day, until=now - 5 * day + timedelta(hours=1)),
        "an actor long ago": AuditFilter(actor="actor 7", since=now - 5 * day, until=now - 4 * day),
        "before all": AuditFilter(until=now - 100 * day),
    }
    read = {name: await pages_read(services, viewer, wanted) for name, wanted in filters.items()}
    assert {name: pages for name, pages in read.items() if pages > 150} == {}


async def pages_read(services: Services, viewer: Viewer, wanted: AuditFilter) -> int:
    """Of the table and its indexes, for one page of the list; the whole has more than two thousand."""
    statement = entries(viewer.workspace_id, wanted).limit(21)
    compiled = statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    async with services.database.reading() as connection:
        explained = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {compiled}")
        plan = explained.scalar_one()
    (top,) = json.loads(plan) if isinstance(plan, str) else plan
    return top["Plan"]["Shared Hit Blocks"] + top["Plan"]["Shared Read Blocks"]


async def test_the_log_can_be_asked_from_the_beginning_to_the_end_of_time(
    services: Services, viewer: Viewer, actors: list[Viewer]
) -> None:
    everything = await log(services, viewer, since="0001-01-01T00:00:00Z", until="9999-12-31T23:59:59Z")
    assert len([one for one in everything if one["actor"] == "twin"]) == 2 * len(actors)

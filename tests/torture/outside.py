"""What is written down beside Weft's own tables, and read when all is over.

- In a database outside: every call of a step (`call`), and the effect of those that have one (`payment`).
- In Weft's database: when each step result was recorded (`torture.recorded`). Results of finished items stand in
  `run_item`; checkpoints come and go, so a trigger notes them, in the transaction that writes them.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import asyncpg
from sqlalchemy.engine import make_url
from torture.judging import Call, Recorded

from weft.storage.database import Database

DATABASE = "outside"

CREATE_OUTSIDE = """
    CREATE TABLE call (key text NOT NULL, attempt int NOT NULL, pid int NOT NULL, began_at timestamptz NOT NULL);
    CREATE TABLE payment (key text PRIMARY KEY, pid int NOT NULL, began_at timestamptz NOT NULL);
"""

CREATE_RECORDS = """
    CREATE SCHEMA torture;
    CREATE TABLE torture.recorded (
      run_id uuid NOT NULL, ordinal int NOT NULL, step_id text NOT NULL, attempt int NOT NULL, xid xid8 NOT NULL
    );
    CREATE FUNCTION torture.note_checkpoints() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO torture.recorded (run_id, ordinal, step_id, attempt, xid)
        SELECT f.run_id, f.ordinal, r ->> 'id', coalesce((r ->> 'a')::int, 1), pg_current_xact_id()
        FROM fresh f, json_array_elements(f.steps) r;
        RETURN NULL;
      END
    $$;
    CREATE TRIGGER torture_inserted AFTER INSERT ON run_checkpoint REFERENCING NEW TABLE AS fresh
      FOR EACH STATEMENT EXECUTE FUNCTION torture.note_checkpoints();
    CREATE TRIGGER torture_updated AFTER UPDATE ON run_checkpoint REFERENCING NEW TABLE AS fresh
      FOR EACH STATEMENT EXECUTE FUNCTION torture.note_checkpoints();
"""

RECORDED = """
    SELECT run_id, ordinal, step_id, attempt, min(pg_xact_commit_timestamp(xid)) AS at
    FROM (
      SELECT run_id, ordinal, step_id, attempt, xid::xid FROM torture.recorded
      UNION ALL
      SELECT i.run_id, i.ordinal, r ->> 'id', coalesce((r ->> 'a')::int, 1), i.xmin
      FROM run_item i, json_array_elements(i.steps) r
    ) AS records (run_id, ordinal, step_id, attempt, xid)
    GROUP BY run_id, ordinal, step_id, attempt
"""


def outside_url(database_url: str) -> str:
    """As asyncpg takes it."""
    return make_url(database_url).set(drivername="postgresql", database=DATABASE).render_as_string(hide_password=False)


async def create(database: Database, database_url: str) -> None:
    async with database.reading() as connection:
        await connection.exec_driver_sql(f"CREATE DATABASE {DATABASE}")
    weft = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    for url, statements in ((outside_url(database_url), CREATE_OUTSIDE), (weft, CREATE_RECORDS)):
        connection = cast("asyncpg.Connection", await asyncpg.connect(url))
        await connection.execute(statements)
        await connection.close()


async def calls(database_url: str) -> list[Call]:
    connection = cast("asyncpg.Connection", await asyncpg.connect(outside_url(database_url)))
    rows = cast("list[Any]", await connection.fetch("SELECT key, attempt, pid, began_at FROM call ORDER BY began_at"))
    await connection.close()
    return [Call(row["key"], row["attempt"], row["pid"], row["began_at"].timestamp()) for row in rows]


async def payments(database_url: str) -> list[str]:
    """The keys under which something was paid."""
    connection = cast("asyncpg.Connection", await asyncpg.connect(outside_url(database_url)))
    rows = cast("list[Any]", await connection.fetch("SELECT key FROM payment"))
    await connection.close()
    return [row["key"] for row in rows]


async def recorded(database: Database) -> Sequence[Recorded]:
    async with database.reading() as connection:
        rows = await connection.exec_driver_sql(RECORDED)
        return [Recorded(str(row.run_id), row.ordinal, row.step_id, row.attempt, row.at.timestamp()) for row in rows]


def offered_step_types(folder: Path) -> str:
    """An installed package in that folder that offers the step types; what PYTHONPATH has to be for Weft to find it."""
    metadata = folder / "torture-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: torture\nVersion: 1.0\n")
    offers = "[weft.steps]\npay = torture.steps:Pay\nsettle = torture.steps:Settle\n"
    (metadata / "entry_points.txt").write_text(offers)
    tests = str(Path(__file__).parent.parent)
    return os.pathsep.join(filter(None, (str(folder), tests, os.environ.get("PYTHONPATH"))))

"""Rows into a real PostgreSQL: values, bad rows, repeats, and what breaks on the way."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from datastores.conftest import COLUMNS, Target, invoices

from weft.domain.outside import Datastores, TableRows
from weft.domain.step import Fail, Retry

FULL: dict[str, Any] = {
    "number": 'I-1 "quoted" \\ ü\t',
    "customer": "Ada",
    "total": "12345678.90",
    "quantity": 3.0,
    "issued": "2026-02-28",
    "paid_at": "2026-03-01T10:00:00+02:00",
    "seen_at": "2026-03-01T10:00:00+02:00",
    "tags": {"a": [1, None, "ü"]},
    "open": False,
    "token": "12345678-1234-5678-1234-567812345678",
    "blob": "AAEC",
}


def upsert(rows: TableRows) -> TableRows:
    return replace(rows, key=("number",), idempotency_keys=())


def reasons(answers: Any) -> list[str | None]:
    return [None if answer is None else f"{answer.code}: {answer.reason}" for answer in answers]


async def test_json_values_arrive_as_the_columns_mean_them(datastores: Datastores, target: Target) -> None:
    rows = TableRows("warehouse", "invoice", tuple(FULL), [list(FULL.values())], (), ["run:1:keep"])
    assert await datastores.write(rows) == [None]
    assert await target.run("SELECT * FROM invoice") == [
        (
            FULL["number"], "Ada", Decimal("12345678.90"), 3, date(2026, 2, 28), datetime(2026, 3, 1, 8, tzinfo=UTC),
            datetime(2026, 3, 1, 8), {"a": [1, None, "ü"]}, False, UUID(FULL["token"]), b"\0\1\2",  # noqa: DTZ001 - a column without a zone
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("quantity", "three", "takes a whole number"),
        ("quantity", 1.5, "takes a whole number"),
        ("quantity", 2**40, "out of range"),
        ("total", True, "takes a number"),
        ("total", "1,5", "takes a number"),
        ("total", 1e20, "overflow"),
        ("issued", "28.02.2026", "takes a date"),
        ("issued", "now", "takes a date"),
        ("paid_at", "yesterday", "takes a date and time"),
        ("customer", 5, "takes text"),
        ("customer", "a\0b", "NUL"),
        ("customer", "\ud800", "half of a character"),
        ("customer", None, "null value"),
        ("tags", "\0", "Unicode"),
        ("token", "nobody", "takes a UUID"),
        ("open", "yes", "takes true or false"),
        ("total", -1, "check constraint"),
    ],
)
async def test_a_value_that_does_not_fit_refuses_its_row_alone(
    datastores: Datastores, target: Target, column: str, value: Any, told: str
) -> None:
    good = {"number": "I-1", "customer": "Ada", "total": 1} | {column: FULL[column]}
    columns = tuple(good)
    rows = [list((good | {"number": f"I-{number}"}).values()) for number in range(5)]
    rows[2][columns.index(column)] = value
    answers = await datastores.write(
        TableRows("warehouse", "invoice", columns, rows, (), [f"r:{n}:s" for n in range(5)])
    )
    assert [answer is None for answer in answers] == [True, True, False, True, True]
    (bad,) = [answer for answer in answers if answer is not None]
    assert isinstance(bad, Fail)
    assert bad.code == "ROW_REFUSED"
    assert told in bad.reason
    assert await target.run("SELECT count(*) FROM invoice") == [(4,)]


async def test_bad_rows_are_found_among_many_good_ones(datastores: Datastores, target: Target) -> None:
    rows = invoices(*range(500))
    for number in (0, 77, 78, 499):
        rows.rows[number][2] = -1  # pyright: ignore[reportIndexIssue] - made of lists
    answers = await datastores.write(rows)
    assert [number for number, answer in enumerate(answers) if answer is not None] == [0, 77, 78, 499]
    assert await target.run("SELECT count(*) FROM invoice") == [(496,)]


async def test_times_that_no_clock_shows_refuse_their_row_alone(datastores: Datastores, target: Target) -> None:
    rows = [["I-1", "Ada", 1, "9999-12-31T23:59:59-23:59"], ["I-2", "Ada", 1, "2026-01-01T00:00:00Z"]]
    given = TableRows("warehouse", "invoice", (*COLUMNS, "paid_at"), rows, (), ["run:1:keep", "run:2:keep"])
    refused, stored = reasons(await datastores.write(given))
    assert (refused or "").startswith("ROW_REFUSED")
    assert stored is None
    assert await target.run("SELECT number FROM invoice") == [("I-2",)]


@pytest.mark.parametrize("state", ["54000", "XX001", "42501"])
async def test_whatever_a_trigger_says_of_one_row_costs_no_other(
    datastores: Datastores, target: Target, state: str
) -> None:
    words = "new row violates row-level security policy" if state == "42501" else "no seven"
    await target.run(f"""CREATE FUNCTION pick() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.number = 'I-7' THEN RAISE EXCEPTION '{words}' USING ERRCODE = '{state}'; END IF; RETURN NEW; END $$""")
    await target.run("CREATE TRIGGER pick BEFORE INSERT ON invoice FOR EACH ROW EXECUTE FUNCTION pick()")
    answers = reasons(await datastores.write(invoices(*range(20))))
    assert [number for number, told in enumerate(answers) if told] == [7]
    assert f"ROW_REFUSED: The row is refused: {words}" in str(answers[7])


async def test_a_connection_that_was_cut_while_nobody_used_it_costs_nothing(
    datastores: Datastores, target: Target
) -> None:
    assert await datastores.write(invoices(1)) == [None]
    await target.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert await datastores.write(invoices(2)) == [None]
    assert await datastores.table("warehouse", "invoice") is not None


async def test_a_row_that_is_written_again_is_left_as_it_is(datastores: Datastores, target: Target) -> None:
    assert await datastores.write(invoices(1, 2, 3)) == [None] * 3
    await target.run("DELETE FROM invoice WHERE number = 'I-2'")
    assert await datastores.write(invoices(3, 2, 1, 4)) == [None] * 4
    assert await target.run("SELECT number FROM invoice ORDER BY 1") == [("I-1",), ("I-3",), ("I-4",)]


async def test_the_table_of_marks_is_made_again_when_it_is_gone(datastores: Datastores, target: Target) -> None:
    assert await datastores.write(invoices(1)) == [None]
    await target.run("DROP TABLE weft_stored")
    assert await datastores.write(invoices(2)) == [None]
    assert await target.run("SELECT count(*) FROM invoice") == [(2,)]


async def test_a_row_that_was_refused_may_come_again(datastores: Datastores, target: Target) -> None:
    await target.run("INSERT INTO invoice VALUES ('I-2', 'elsewhere', 0)")
    first = await datastores.write(invoices(1, 2, 3))
    assert reasons(first)[0::2] == [None, None]
    assert "duplicate key" in (reasons(first)[1] or "")
    await target.run("DELETE FROM invoice WHERE number = 'I-2'")
    assert await datastores.write(invoices(1, 2, 3)) == [None] * 3
    assert await target.run("SELECT count(*) FROM invoice") == [(3,)]


async def test_two_writers_of_the_same_items_write_each_once(datastores: Datastores, target: Target) -> None:
    await target.run("ALTER TABLE invoice DROP CONSTRAINT invoice_pkey")
    answers = await asyncio.gather(*(datastores.write(invoices(*range(200))) for _ in range(4)))
    assert {reason for answer in answers for reason in reasons(answer)} == {None}
    assert await target.run("SELECT count(*) FROM invoice") == [(200,)]


async def test_an_upsert_replaces_and_of_the_same_key_the_last_wins(datastores: Datastores, target: Target) -> None:
    await target.run("INSERT INTO invoice (number, customer, total, quantity) VALUES ('I-1', 'old', 0, 7)")
    rows = upsert(invoices(1, 2, 1, 1))
    for number, row in enumerate(rows.rows):
        row[1] = f"at {number}"  # pyright: ignore[reportIndexIssue] - made of lists
    assert await datastores.write(rows) == [None] * 4
    found = await target.run("SELECT number, customer, quantity FROM invoice ORDER BY 1")
    assert found == [("I-1", "at 3", 7), ("I-2", "at 1", None)]


async def test_where_the_last_of_a_key_is_bad_the_one_before_stays(datastores: Datastores, target: Target) -> None:
    rows = upsert(invoices(1, 2, 1))
    rows.rows[2][2] = -1  # pyright: ignore[reportIndexIssue] - made of lists
    answers = await datastores.write(rows)
    assert [answer is None for answer in answers] == [True, True, False]
    assert await target.run("SELECT number, total FROM invoice ORDER BY 1") == [
        ("I-1", Decimal("1.25")),
        ("I-2", Decimal("2.25")),
    ]


async def test_names_and_values_are_never_taken_for_sql(datastores: Datastores, target: Target) -> None:
    await target.run('CREATE SCHEMA "odd; --"')
    await target.run('CREATE TABLE "odd; --"."ta""ble" ("co""l" text, "select" text)')
    evil = "'); DROP TABLE invoice; --"
    rows = TableRows("warehouse", 'odd; --.ta"ble', ('co"l', "select"), [[evil, evil]], (), ["a"])
    assert await datastores.write(rows) == [None]
    assert await target.run('SELECT * FROM "odd; --"."ta""ble"') == [(evil, evil)]
    assert await target.run("SELECT count(*) FROM invoice") == [(0,)]
    await target.run('DROP SCHEMA "odd; --" CASCADE')


async def test_what_is_not_there_is_named(datastores: Datastores) -> None:
    unknown = await datastores.write(replace(invoices(1), datastore="warehose"))
    assert reasons(unknown) == ['DATASTORE_UNKNOWN: There is no datastore \'warehose\' in this workspace (did you mean "warehouse"?).']  # fmt: skip
    assert "TABLE_UNKNOWN" in (reasons(await datastores.write(replace(invoices(1), table="bill")))[0] or "")
    odd = replace(invoices(1), columns=(*COLUMNS[:2], "sum"))
    assert reasons(await datastores.write(odd)) == ["COLUMN_UNKNOWN: The table 'invoice' has no column 'sum'."]


async def test_a_connection_that_breaks_is_worth_another_try(datastores: Datastores, target: Target) -> None:
    assert await datastores.write(invoices(1)) == [None]
    target.relay.cut()
    assert await datastores.write(invoices(2)) == [None]
    target.relay.accepting = False
    target.relay.cut()
    for _ in range(2):
        (answer,) = await datastores.write(invoices(3))
        assert isinstance(answer, Retry)
        assert answer.code == "DATASTORE_UNREACHABLE"


async def test_a_writer_that_has_to_wait_for_a_lock_gets_it_when_it_is_free(
    datastores: Datastores, target: Target
) -> None:
    assert await datastores.write(invoices(1)) == [None]
    async with target.database.transaction() as connection:
        await connection.exec_driver_sql("LOCK TABLE invoice IN EXCLUSIVE MODE")
        waiting = asyncio.create_task(datastores.write(invoices(2)))
        await asyncio.sleep(0.1)
        assert not waiting.done()
    assert await waiting == [None]


async def test_a_constraint_that_is_checked_at_the_end_is_checked_for_each_row(
    datastores: Datastores, target: Target
) -> None:
    await target.run("ALTER TABLE invoice ADD UNIQUE (customer) DEFERRABLE INITIALLY DEFERRED")
    rows = invoices(1, 2, 3)
    rows.rows[1][1] = "Customer 1"  # pyright: ignore[reportIndexIssue] - made of lists
    answers = await datastores.write(rows)
    assert [answer is None for answer in answers] == [True, False, True]

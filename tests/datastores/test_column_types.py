"""Every type of column of a PostgreSQL gets what an INSERT of the same text would give it, whatever way the rows go in."""

from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from datastores.conftest import Target

from weft.domain.outside import Datastores, TableRows

pytestmark = pytest.mark.timeout(60)


async def _written(datastores: Datastores, kind: str, value: Any, target: Target) -> str | None:
    """Into a table with one column of this kind; what was said against it."""
    await target.run(f'CREATE TABLE one (number integer, "a ""value""" {kind})')
    rows = TableRows("warehouse", "one", ("number", 'a "value"'), [[1, value]], (), ["run:1:keep"])
    (answer,) = await datastores.write(rows)
    return None if answer is None else str(answer)


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("varchar(3)", "abc", "abc"),
        ("char(3)", "ab", "ab "),
        ("smallint", 7, 7),
        ("double precision", 0.1, 0.1),
        ("real", 0.5, 0.5),
        ("numeric(6, 2)", "1234.50", Decimal("1234.50")),
        ("numeric", "123456789012345678901234567890.5", Decimal("123456789012345678901234567890.5")),
        ("numeric", 2**70, Decimal(2**70)),
        ("time", "10:11:12", time(10, 11, 12)),
        ("interval", "2 days", timedelta(days=2)),
        ("boolean", False, False),
        ("mood", "happy", "happy"),
        ("code", "abc", "abc"),
        ("text[]", ["a", None, 'b"'], ["a", None, 'b"']),
        ("integer[]", [[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        ("jsonb", "a text", "a text"),
        ("jsonb", [None, {"a": None}], [None, {"a": None}]),
        ("json", {"b": 1, "a": '\\ " \n'}, {"b": 1, "a": '\\ " \n'}),
        ("jsonb", None, None),
        ("text", 'null "quoted" \\ \t\n', 'null "quoted" \\ \t\n'),
        ("text", "null", "null"),
    ],
)  # fmt: skip
async def test_a_value_arrives(datastores: Datastores, target: Target, kind: str, value: Any, stored: Any) -> None:
    await target.run("CREATE TYPE mood AS ENUM ('happy', 'sad')")
    await target.run("CREATE DOMAIN code AS varchar(3)")
    assert await _written(datastores, kind, value, target) is None
    assert await target.run('SELECT "a ""value""" FROM one') == [(stored,)]


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("varchar(3)", "abcd", "too long"),
        ("char(3)", "abcd", "too long"),
        ("code", "abcd", "too long"),
        ("bit(3)", "1011", "does not match"),
        ("smallint", 40_000, "out of range"),
        ("numeric(6, 2)", 12345.5, "overflow"),
        ("mood", "angry", "invalid input value"),
    ],
)
async def test_what_does_not_fit_is_refused_and_not_cut_off(
    datastores: Datastores, target: Target, kind: str, value: Any, told: str
) -> None:
    await target.run("CREATE TYPE mood AS ENUM ('happy', 'sad')")
    await target.run("CREATE DOMAIN code AS varchar(3)")
    assert told in (await _written(datastores, kind, value, target) or "")
    assert await target.run("SELECT count(*) FROM one") == [(0,)]


async def test_json_to_the_letter_keeps_the_order_of_its_keys(datastores: Datastores, target: Target) -> None:
    assert await _written(datastores, "json", {"bb": 1, "a": 2}, target) is None
    assert await target.run('SELECT "a ""value"""::text FROM one') == [('{"bb":1,"a":2}',)]


async def test_a_column_that_changed_its_type_is_read_anew(datastores: Datastores, target: Target) -> None:
    assert await _written(datastores, "text", "1", target) is None
    await target.run('ALTER TABLE one ALTER COLUMN "a ""value""" TYPE text[] USING ARRAY["a ""value"""]')
    await datastores.table("warehouse", "one")
    rows = TableRows("warehouse", "one", ("number", 'a "value"'), [[2, ["x"]]], (), ["run:2:keep"])
    assert await datastores.write(rows) == [None]
    assert await target.run('SELECT "a ""value""" FROM one ORDER BY number') == [(["1"],), (["x"],)]

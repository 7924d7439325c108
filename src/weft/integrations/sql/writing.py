"""Rows written as one: in one transaction with their marks, the bad ones found and left out.

Nearly always all rows are good, so they are tried together first. Only when the database refuses them the transaction
begins again, with a savepoint before each part, and the parts are halved until the bad rows stand alone.
"""

import contextlib
from collections.abc import Mapping, Sequence

from weft.domain.step import Fail
from weft.integrations.sql.errors import REFUSED, RowRefusedError, meaning
from weft.integrations.sql.marks import Mark, Place, is_set, marks_of, with_marks
from weft.integrations.sql.session import Row, Session

Answers = dict[int, Exception | None]
"""By the row's number: None where it is stored."""


async def written(
    session: Session, rows: Mapping[int, Row], keys: Sequence[str], replaced: Sequence[int] = ()
) -> Answers:
    """`keys` by the number of the row, empty where rows may be repeated. `replaced` are rows that a later one of the same
    key replaces: they are left out as long as all goes well.

    Raises what all rows come to.
    """
    marks = dict(zip(rows, marks_of([keys[number] for number in rows]), strict=True)) if keys else {}
    left_out = set(replaced)
    lasting = {number: row for number, row in rows.items() if number not in left_out}
    try:
        await _in_a_transaction(session, lasting, marks, halving=False)
    except Exception as error:
        told = meaning(error)
        await _rolled_back(session)
        if not isinstance(told, RowRefusedError):
            raise told from error
    else:
        return dict.fromkeys(rows)
    try:
        return await _in_a_transaction(session, rows, marks, halving=True)
    except Exception as error:
        raise _of_all(meaning(error)) from error


async def _in_a_transaction(
    session: Session, rows: Mapping[int, Row], marks: Mapping[int, Mark], *, halving: bool
) -> Answers:
    await session.begin()
    known: Mapping[Place, bytes] = await session.marks(sorted({mark.place for mark in marks.values()})) if marks else {}
    answers: Answers = {}
    missing: list[int] = []
    for number in rows:
        if marks and _is_known(known, marks[number]):
            answers[number] = None
        else:
            missing.append(number)
    if halving:
        await _halved(session, rows, missing, answers)
    elif missing:
        await session.put([rows[number] for number in missing])
        answers.update(dict.fromkeys(missing))
    stored = [marks[number] for number in missing if marks and answers[number] is None]
    if stored:
        await session.keep_marks(with_marks(known, stored))
    await session.commit()
    return answers


async def _halved(session: Session, rows: Mapping[int, Row], numbers: Sequence[int], answers: Answers) -> None:
    """In their order, so that of two rows that cannot both be there the first one stays."""
    if not numbers:
        return
    await session.save()
    try:
        await session.put([rows[number] for number in numbers])
    except Exception as error:
        told = meaning(error)
        if not isinstance(told, RowRefusedError):
            raise told from error
        await session.undo()
        if len(numbers) == 1:
            answers[numbers[0]] = refused(str(told))
            return
        middle = len(numbers) // 2
        await _halved(session, rows, numbers[:middle], answers)
        await _halved(session, rows, numbers[middle:], answers)
    else:
        answers.update(dict.fromkeys(numbers))


def refused(reason: str) -> Fail:
    return Fail(f"The row is refused: {reason}", code=REFUSED)


def _of_all(told: Exception) -> Exception:
    """What is about a row although none is at work: a constraint that is checked at the end."""
    return Fail(f"The rows are refused together: {told}", code=REFUSED) if isinstance(told, RowRefusedError) else told


def _is_known(known: Mapping[Place, bytes], mark: Mark) -> bool:
    return is_set(known.get(mark.place, b""), mark.bit)


async def _rolled_back(session: Session) -> None:
    with contextlib.suppress(Exception):  # the connection may be what broke: then there is nothing left to take back
        await session.rollback()

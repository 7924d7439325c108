"""Tables made in datastores, for whoever has none yet. What is in a database already is never changed from here."""

from weft.domain.access import Role, Viewer
from weft.domain.errors import Conflict, ErrorCode, Invalid, NotFound, Problem
from weft.domain.ids import UUID
from weft.domain.outside import NewTable, TableFacts
from weft.domain.step import StepSignal
from weft.integrations.sql.creation import MADE_KINDS
from weft.kit.storable import is_storable_text
from weft.operations.datastores import find_datastore
from weft.operations.services import Services
from weft.storage import audit

MOST_COLUMNS = 200
LONGEST_NAME = 63
"""Of a column or a table: PostgreSQL cuts longer ones off."""


async def create_table(services: Services, viewer: Viewer, datastore_id: UUID, new: NewTable) -> TableFacts | None:
    """The table as its database tells it afterwards."""
    viewer.need(Role.ADMIN)
    if problems := _problems(new):
        raise Invalid(problems=problems)
    datastore = await find_datastore(services, viewer, datastore_id)
    if datastore is None:
        raise NotFound("There is no such datastore in this workspace.", path=("datastoreId",))
    databases = services.world.of(viewer.workspace_id).datastores
    try:
        if await databases.table(datastore.name, new.name) is not None:
            raise Conflict(f"There is a table {new.name!r} already.", path=("name",))
        await databases.create_table(datastore.name, new)
        made = await databases.table(datastore.name, new.name)
    except StepSignal as signal:
        raise Conflict(str(signal), path=("datastoreId",)) from signal
    async with services.database.transaction() as connection:
        details = {"name": datastore.name, "table": new.name}
        await audit.record(connection, viewer, "datastore.tableCreated", datastore_id, details)
    return made


def _problems(new: NewTable) -> list[Problem]:
    problems: list[Problem] = []
    if any(not _is_name(part) for part in new.name.split(".", 1)):
        problems.append(Problem(ErrorCode.INVALID, _name_rule("table"), ("name",)))
    if not 1 <= len(new.columns) <= MOST_COLUMNS:
        problems.append(Problem(ErrorCode.INVALID, f"A table has 1 to {MOST_COLUMNS} columns.", ("columns",)))
    seen: set[str] = set()
    for index, column in enumerate(new.columns):
        place = ("columns", str(index))
        if not _is_name(column.name):
            problems.append(Problem(ErrorCode.INVALID, _name_rule("column"), (*place, "name")))
        if column.name.casefold() in seen:
            message = f"The column {column.name!r} is there twice: case makes no difference."
            problems.append(Problem(ErrorCode.INVALID, message, (*place, "name")))
        if column.kind not in MADE_KINDS:
            kinds = ", ".join(MADE_KINDS)
            problems.append(Problem(ErrorCode.INVALID, f"The kind is one of: {kinds}.", (*place, "kind")))
        seen.add(column.name.casefold())
    known = {column.name for column in new.columns}
    for index, name in enumerate(new.key):
        if name not in known or name in new.key[:index]:
            problems.append(Problem(ErrorCode.INVALID, f"{name!r} is no column, or stands twice.", ("key", str(index))))
    return problems


def _is_name(name: str) -> bool:
    return 0 < len(name.encode()) <= LONGEST_NAME and name.strip() == name and is_storable_text(name)


def _name_rule(what: str) -> str:
    return f"The name of a {what} has 1 to {LONGEST_NAME} bytes, and no blank at its ends."

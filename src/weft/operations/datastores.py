"""Datastores: made, changed, deleted and tested by admins. Others see their names and kinds."""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from weft.auth.secrets import identity_of
from weft.domain.access import Role, Viewer
from weft.domain.datastore import Datastore, DatastoreKind, DatastoreTrial, TlsMode
from weft.domain.errors import Conflict, ErrorCode, Invalid, LimitExceeded, NotFound, Problem
from weft.domain.ids import UUID, new_id
from weft.domain.outside import TableFacts
from weft.domain.page import Page, PageRequest
from weft.domain.step import StepSignal
from weft.integrations.sql.folders import FILE_NAME_RULE, is_file_name
from weft.kit.storable import is_storable_text
from weft.operations.labels import name_of
from weft.operations.services import Services
from weft.storage import audit, datastores

MOST_DATASTORES = 100
MAX_TEXT = 500
_HOST = re.compile(r"[A-Za-z0-9_.:-]{1,253}")
_PLACE = ("kind", "host", "port", "user")
"""Whoever changes one of these sends the password somewhere else: it has to be given again."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """How a database server is reached. A password of None stays what it is."""

    kind: DatastoreKind
    host: str
    port: int
    database: str
    user: str
    password: str | None
    tls: TlsMode


@dataclass(frozen=True, slots=True)
class FileAddress:
    file: str


Address = ServerAddress | FileAddress


async def create_datastore(services: Services, viewer: Viewer, name: str, address: Address) -> Datastore:
    viewer.need(Role.ADMIN)
    problems: list[Problem] = []
    name = name_of(name, problems)
    _check(address, problems)
    now = services.clock()
    made = Datastore(
        id=new_id(),
        workspace_id=viewer.workspace_id,
        name=name,
        **_columns(address),
        revision=1,
        created_at=now,
        updated_at=now,
    )
    sealed = _sealed(services, made, address)
    async with services.database.transaction() as connection:
        if name in await datastores.names(connection, viewer.workspace_id):
            raise _taken(name)
        if await datastores.count(connection, viewer.workspace_id) >= MOST_DATASTORES:
            raise LimitExceeded(f"The workspace has {MOST_DATASTORES} datastores already.")
        await datastores.add(connection, made, sealed)
        await audit.record(connection, viewer, "datastore.created", made.id, {"name": name, "kind": made.kind})
    return made


async def update_datastore(
    services: Services, viewer: Viewer, datastore_id: UUID, *, name: str | None, address: Address | None
) -> Datastore:
    """What is None stays as it is."""
    viewer.need(Role.ADMIN)
    problems: list[Problem] = []
    name = None if name is None else name_of(name, problems)
    if address is not None:
        _check(address, problems)
    elif problems:
        raise Invalid(problems=problems)
    async with services.database.transaction() as connection:
        current = _found(await datastores.lock(connection, viewer.workspace_id, datastore_id))
        values: dict[str, Any] = {}
        if name is not None and name != current.name:
            if name in await datastores.names(connection, viewer.workspace_id):
                raise _taken(name)
            await _refuse_while_named(connection, viewer, current, ("name",))
            values["name"] = name
        if address is not None:
            values |= _columns(address)
            _refuse_moving_the_password(current, values, address)
            if not (isinstance(address, ServerAddress) and address.password is None):
                values["password"] = _sealed(services, current, address)
        if not values:
            return current
        changed = await datastores.change(
            connection, viewer.workspace_id, datastore_id, {**values, "updated_at": services.clock()}
        )
        details = {"name": changed.name, "changed": sorted(values)}
        await audit.record(connection, viewer, "datastore.updated", datastore_id, details)
    return changed


async def delete_datastore(services: Services, viewer: Viewer, datastore_id: UUID) -> None:
    """Refused while a workflow that can be run names it. What was written through it stays where it is."""
    viewer.need(Role.ADMIN)
    async with services.database.transaction() as connection:
        current = _found(await datastores.lock(connection, viewer.workspace_id, datastore_id))
        await _refuse_while_named(connection, viewer, current, ("id",))
        await datastores.remove(connection, viewer.workspace_id, datastore_id)
        await audit.record(connection, viewer, "datastore.deleted", datastore_id, {"name": current.name})


async def test_datastore(services: Services, viewer: Viewer, datastore_id: UUID) -> DatastoreTrial:
    """Connects and lists the tables; nothing is written."""
    viewer.need(Role.ADMIN)
    datastore = _found(await find_datastore(services, viewer, datastore_id))
    began = time.perf_counter()
    try:
        tables = await services.world.of(viewer.workspace_id).datastores.tables(datastore.name)
    except StepSignal as signal:
        ok, message = False, str(signal)
    else:
        ok, message = True, f"It answers, and shows {len(tables)} {'table' if len(tables) == 1 else 'tables'}."
    took = timedelta(seconds=time.perf_counter() - began)
    async with services.database.transaction() as connection:
        await audit.record(connection, viewer, "datastore.tested", datastore_id, {"name": datastore.name, "ok": ok})
    return DatastoreTrial(ok, message, took)


async def find_datastore(services: Services, viewer: Viewer, datastore_id: UUID) -> Datastore | None:
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await datastores.get(connection, viewer.workspace_id, datastore_id)
    return None if found is None else _as_seen_by(viewer, found)


async def list_datastores(services: Services, viewer: Viewer, page: PageRequest) -> Page[Datastore]:
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await datastores.page(connection, viewer.workspace_id, page)
    return replace(found, rows=tuple(_as_seen_by(viewer, one) for one in found.rows))


async def list_tables(services: Services, viewer: Viewer, datastore_id: UUID) -> Sequence[str]:
    """The names of the tables, for whoever writes a mapping."""
    viewer.need(Role.EDITOR)
    datastore = _found(await find_datastore(services, viewer, datastore_id), "datastoreId")
    try:
        return await services.world.of(viewer.workspace_id).datastores.tables(datastore.name)
    except StepSignal as signal:
        raise Conflict(str(signal), path=("datastoreId",)) from signal


async def describe_table(services: Services, viewer: Viewer, datastore_id: UUID, table: str) -> TableFacts | None:
    viewer.need(Role.EDITOR)
    datastore = _found(await find_datastore(services, viewer, datastore_id), "datastoreId")
    try:
        return await services.world.of(viewer.workspace_id).datastores.table(datastore.name, table)
    except StepSignal as signal:
        raise Conflict(str(signal), path=("datastoreId",)) from signal


def _as_seen_by(viewer: Viewer, datastore: Datastore) -> Datastore:
    if viewer.role.may(Role.ADMIN):
        return datastore
    return replace(datastore, host=None, port=None, database=None, user=None, tls=None, file=None)


def _columns(address: Address) -> dict[str, Any]:
    if isinstance(address, FileAddress):
        empty = dict.fromkeys(("host", "port", "database", "user", "tls"))
        return {"kind": DatastoreKind.SQLITE, "file": address.file, **empty}
    return {
        "kind": address.kind,
        "host": address.host,
        "port": address.port,
        "database": address.database,
        "user": address.user,
        "tls": address.tls,
        "file": None,
    }


def _sealed(services: Services, datastore: Datastore, address: Address) -> bytes | None:
    if isinstance(address, FileAddress) or not address.password:
        return None
    identity = identity_of("datastore", datastore.workspace_id, datastore.id)
    return services.world.secrets.seal(address.password.encode(), identity)


def _check(address: Address, problems: list[Problem]) -> None:
    """Raises every problem at once."""
    if isinstance(address, FileAddress):
        wrong = [] if is_file_name(address.file) else [("file", f"The name of a SQLite file has {FILE_NAME_RULE}.")]
        place = "sqlite"
    else:
        wrong, place = list(_wrong_in(address)), address.kind.lower()
    problems += [Problem(ErrorCode.INVALID, message, ("address", place, field)) for field, message in wrong]
    if problems:
        raise Invalid(problems=problems)


def _wrong_in(address: ServerAddress) -> Iterator[tuple[str, str]]:
    """Field and message."""
    if not _HOST.fullmatch(address.host):
        yield "host", "The host is a name or an IP address, without a port or a scheme."
    if not 1 <= address.port <= 65535:  # noqa: PLR2004 - what a port is
        yield "port", "The port is a number from 1 to 65535."
    for field, text in (("database", address.database), ("user", address.user), ("password", address.password or "")):
        if len(text) > MAX_TEXT or not is_storable_text(text):
            yield field, f"The {field} has more than {MAX_TEXT} characters, or one that is no text."
        if not text and field != "password":
            yield field, f"The {field} is needed."


def _refuse_moving_the_password(current: Datastore, values: dict[str, Any], address: Address) -> None:
    if not isinstance(address, ServerAddress) or address.password is not None:
        return
    weaker = address.tls is not TlsMode.VERIFIED and address.tls is not current.tls
    if weaker or any(values[name] != getattr(current, name) for name in _PLACE):
        raise Invalid(
            "The password has to be given again, since it would be sent elsewhere, or less protected.",
            path=("address", address.kind.lower(), "password"),
        )


async def _refuse_while_named(connection: Any, viewer: Viewer, current: Datastore, path: tuple[str, ...]) -> None:
    if used := await datastores.named_by(connection, viewer.workspace_id, current.name):
        raise Conflict(
            f"The datastore {current.name!r} is named by: {', '.join(used)}.",
            path=path,
            hint="Change or archive these workflows first.",
        )


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a datastore {name!r} already.", path=("name",))


def _found(datastore: Datastore | None, place: str = "id") -> Datastore:
    if datastore is None:
        raise NotFound("There is no such datastore in this workspace.", path=(place,))
    return datastore

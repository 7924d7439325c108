"""Who may do what: every field of the schema with every role, without a good key, and with a key of another workspace.

The table is `rights.py`: a field that is not in it fails the first test here.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from architecture.belongings import MAKERS, Belongings
from architecture.conftest import MARK
from architecture.rights import NEED_MORE, RIGHTS, Right
from architecture.walking import ROOTS, SCHEMA, answered, codes, holdings
from asking import ask_anything
from graphql import GraphQLObjectType, get_named_type, is_leaf_type, is_required_argument

from weft.auth.keys import new_key
from weft.domain.access import Role, Viewer
from weft.domain.errors import Unauthenticated
from weft.operations.authentication import Authenticator
from weft.operations.keys import create_api_key, revoke_api_key
from weft.operations.services import Services

pytestmark = pytest.mark.timeout(120)

EVERY = [(root, right) for root, rights in RIGHTS.items() for right in rights.values()]


@dataclass(frozen=True)
class Tried:
    right: Right
    caller: object
    answer: Any
    errors: list[dict[str, Any]]

    def __str__(self) -> str:
        return f"{self.right.name} as {self.caller}: {self.answer} {self.errors}"


def test_it_is_decided_for_every_field_who_may() -> None:
    assert {name: rights.keys() for name, rights in RIGHTS.items()} == {
        name: root.fields.keys() for name, root in ROOTS.items()
    }


async def test_a_role_that_is_too_low_is_refused_and_changes_nothing(
    services: Services, viewer: Viewer, first: Belongings
) -> None:
    wrong: list[Tried] = []
    for root, right in EVERY:
        too_low = [role for role in Role if not role.may(right.least)]
        call = await first.filled(right.call) if too_low else ""
        before = await holdings(services.database, viewer.workspace_id) if too_low else {}
        for role in too_low:
            answer, errors = await answered(services, replace(viewer, role=role), root, call)
            if answer is not None or codes(errors) != {"FORBIDDEN"}:
                wrong.append(Tried(right, role, answer, errors))
        if too_low and await holdings(services.database, viewer.workspace_id) != before:
            wrong.append(Tried(right, "something changed", None, []))
    assert not wrong, "\n".join(map(str, wrong))


async def test_a_role_that_is_high_enough_is_served(services: Services, viewer: Viewer, first: Belongings) -> None:
    wrong: list[Tried] = []
    for root, right in EVERY:
        for role in Role:
            if role.may(right.least):
                caller = replace(viewer, role=role)
                answer, errors = await answered(services, caller, root, await first.filled(right.call))
                if not answer or errors or (root == "Mutation" and answer["errors"]):
                    wrong.append(Tried(right, role, answer, errors))
    assert not wrong, "\n".join(map(str, wrong))


async def test_a_key_that_is_missing_unknown_revoked_or_expired_opens_nothing(
    services: Services, viewer: Viewer, first: Belongings
) -> None:
    revoked = await create_api_key(services, viewer, name="revoked", role=Role.ADMIN)
    await revoke_api_key(services, viewer, revoked.api_key.id)
    soon = services.clock() + timedelta(hours=1)
    expired = await create_api_key(services, viewer, name="expired", role=Role.ADMIN, expires_at=soon)
    later = replace(services, clock=lambda: soon)
    callers = [
        await refused(later, key) for key in (None, new_key(services.secret_key).text, revoked.text, expired.text)
    ]
    assert [caller.message.split()[-1] for caller in callers] == ["<key>`.", "known.", "revoked.", "expired."]
    calls = [(root, right, await first.filled(right.call)) for root, right in EVERY]
    before = await holdings(services.database, viewer.workspace_id)
    wrong: list[Tried] = []
    for root, right, call in calls:
        for caller in callers:
            answer, errors = await answered(services, caller, root, call)
            if answer is not None or codes(errors) != {"UNAUTHENTICATED"}:
                wrong.append(Tried(right, caller, answer, errors))
    assert not wrong, "\n".join(map(str, wrong))
    assert await holdings(services.database, viewer.workspace_id) == before


async def refused(services: Services, key: str | None) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as raised:
        await Authenticator(services).authenticate(key, "127.0.0.1")
    return raised.value


async def test_nothing_of_a_workspace_is_shown_to_or_changed_by_another(
    services: Services, viewer: Viewer, stranger: Viewer, first: Belongings
) -> None:
    other = Belongings(services, stranger, "of the other workspace")
    wrong: list[Tried] = []
    for root, right in EVERY:
        theirs = await first.with_ids(right.call)
        call = await other.filled(theirs)
        before = await holdings(services.database, viewer.workspace_id)
        answer, errors = await answered(services, stranger, root, call)
        if not as_if_it_were_not_there(root, right, theirs != right.call, answer, errors) or MARK in str(
            (answer, errors)
        ):
            wrong.append(Tried(right, "stranger", answer, errors))
        if await holdings(services.database, viewer.workspace_id) != before:
            wrong.append(Tried(right, "something changed", answer, errors))
    assert not wrong, "\n".join(map(str, wrong))


def as_if_it_were_not_there(root: str, right: Right, by_id: bool, answer: Any, errors: list[dict[str, Any]]) -> bool:
    if root == "Mutation":
        told: set[str] = {error["code"] for error in answer["errors"]} if answer else set()
        return errors == [] and told == ({"NOT_FOUND"} if by_id and not right.silent else set())
    if right.shared:
        return errors == []
    if not answer:
        return codes(errors) <= {"NOT_FOUND"}
    return errors == [] and answer == {"__typename": answer["__typename"], **counted(answer), "nodes": []}


def counted(answer: dict[str, Any]) -> dict[str, Any]:
    return {"totalCount": None if answer["totalCount"] is None else 0}


NODES = {
    name: kind
    for name, kind in SCHEMA._schema.type_map.items()
    if isinstance(kind, GraphQLObjectType) and "Node" in {interface.name for interface in kind.interfaces}
}


def test_of_every_kind_of_node_there_is_one_to_try() -> None:
    assert NODES.keys() <= MAKERS.keys()


async def test_what_is_inside_a_node_needs_no_more_than_is_said_and_is_not_shown_to_another_workspace(
    services: Services, viewer: Viewer, stranger: Viewer, first: Belongings
) -> None:
    wrong: list[tuple[str, Role, Any, Any]] = []
    for name, kind in NODES.items():
        node_id = await first.one(name)
        for field in inner_fields(kind):
            document = f'{{ node(id: "{node_id}") {{ ... on {name} {{ {field} }} }} }}'
            needed = max(
                (NEED_MORE.get(key, Role.VIEWER) for key in (name, f"{name}.{field.split()[0]}")),
                key=lambda one: one.rank,
            )
            for role in Role:
                data, errors = await ask_anything(services, replace(viewer, role=role), document)
                served = bool(data and data["node"]) and errors == []
                if not (served if role.may(needed) else codes(errors) == {"FORBIDDEN"}):
                    wrong.append((document, role, data, errors))
            data, errors = await ask_anything(services, stranger, document)
            if (data, errors) != ({"node": None}, []) and codes(errors) != {"NOT_FOUND"}:
                wrong.append((document, stranger.role, data, errors))
    assert not wrong, "\n".join(map(str, wrong))


def inner_fields(kind: GraphQLObjectType) -> list[str]:
    """Each field that needs no argument, with what has to be selected of it."""
    return [
        name if is_leaf_type(get_named_type(field.type)) else f"{name} {{ __typename }}"
        for name, field in kind.fields.items()
        if not any(map(is_required_argument, field.args.values()))
    ]

"""Who may do what: every operation refuses the roles below the one it needs, and lets that one in."""

import re
from dataclasses import replace
from typing import Any

import pytest
from asking import ask_anything
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    is_required_argument,
    is_required_input_field,
)

from weft.domain.access import Role, Viewer
from weft.domain.ids import new_id
from weft.graphql.nodes import encode_id
from weft.graphql.schema import WeftSchema
from weft.operations.services import Services

MUTATIONS = {
    "createApiKey": Role.ADMIN,
    "revokeApiKey": Role.ADMIN,
    "createEntityType": Role.EDITOR,
    "updateEntityType": Role.EDITOR,
    "deleteEntityType": Role.EDITOR,
    "createEntities": Role.EDITOR,
    "updateEntity": Role.EDITOR,
    "deleteEntities": Role.EDITOR,
    "createImport": Role.EDITOR,
    "createUpload": Role.EDITOR,
    "createDocument": Role.EDITOR,
    "createWorkflow": Role.EDITOR,
    "updateWorkflow": Role.EDITOR,
    "archiveWorkflow": Role.EDITOR,
    "deleteWorkflow": Role.EDITOR,
    "validateWorkflow": Role.VIEWER,
    "createModelProvider": Role.ADMIN,
    "updateModelProvider": Role.ADMIN,
    "deleteModelProvider": Role.ADMIN,
    "testModelProvider": Role.ADMIN,
    "createWorkflowFromTemplate": Role.EDITOR,
    "saveAsTemplate": Role.EDITOR,
    "runWorkflow": Role.RUNNER,
    "retryRun": Role.RUNNER,
    "cancelRun": Role.RUNNER,
    "pauseRun": Role.RUNNER,
    "resumeRun": Role.RUNNER,
    "createDatastore": Role.ADMIN,
    "updateDatastore": Role.ADMIN,
    "deleteDatastore": Role.ADMIN,
    "testDatastore": Role.ADMIN,
    "createDatastoreTable": Role.ADMIN,
    "createIntegration": Role.EDITOR,
    "updateIntegration": Role.EDITOR,
    "deleteIntegration": Role.EDITOR,
    "testIntegration": Role.EDITOR,
    "redeliver": Role.RUNNER,
}

ROOTS = {root.name: root for root in WeftSchema().roots}
QUERIES = {
    **dict.fromkeys(ROOTS["Query"].fields, Role.VIEWER),
    "apiKeys": Role.ADMIN,
    "auditLog": Role.ADMIN,
    "datastoreContents": Role.EDITOR,
}
SCALARS = {"String": '"x"', "JSON": "{}", "Boolean": "true", "Int": "1", "Float": "1.0", "Duration": '"PT1S"'}


def test_it_is_decided_for_every_mutation_who_may() -> None:
    assert MUTATIONS.keys() == ROOTS["Mutation"].fields.keys()


@pytest.mark.parametrize(
    ("root", "rights"), [("Mutation", MUTATIONS), ("Query", QUERIES)], ids=["mutations", "queries"]
)
async def test_an_operation_refuses_every_role_below_the_one_it_needs(
    services: Services, viewer: Viewer, root: str, rights: dict[str, Role]
) -> None:
    wrong: list[tuple[str, Role, Any]] = []
    for name, needed in rights.items():
        document = f"{root.lower()} {{ {call(name, ROOTS[root])} }}"
        for role in Role:
            _, errors = await ask_anything(services, replace(viewer, role=role), document)
            codes = [error["extensions"]["code"] for error in errors]
            # What was asked for is not there: that may be said to those who may ask.
            if not (set(codes) <= {"NOT_FOUND"} if role.may(needed) else codes == ["FORBIDDEN"]):
                wrong.append((name, role, errors))
    assert wrong == []


def call(name: str, root: GraphQLObjectType) -> str:
    """The field with just what it cannot do without: enough to come as far as the question who may."""
    field: GraphQLField = root.fields[name]
    arguments = ", ".join(
        f"{argument}: {value(described.type, argument, name)}"
        for argument, described in field.args.items()
        if is_required_argument(described)
    )
    return f"{name}({arguments}) {{ __typename }}" if arguments else f"{name} {{ __typename }}"


def value(kind: Any, name: str, operation: str) -> str:
    match kind:
        case GraphQLNonNull():
            return value(kind.of_type, name, operation)
        case GraphQLList():
            return f"[{value(kind.of_type, name, operation)}]"
        case GraphQLEnumType():
            return next(iter(kind.values))
        case GraphQLInputObjectType():
            required = {key: one.type for key, one in kind.fields.items() if is_required_input_field(one)}
            if not required:
                key, chosen = next(iter(kind.fields.items()))
                required = {key: chosen.type}
            return f"{{{', '.join(f'{key}: {value(one, key, operation)}' for key, one in required.items())}}}"
        case _ if kind.name == "ID":
            return f'"{encode_id(noun(name, operation), new_id())}"'
        case _:
            return SCALARS[kind.name]


def noun(name: str, operation: str) -> str:
    """What an id is of: `workflowId` says it, `id` is that of the operation's own noun, `type` is an entity type."""
    match name:
        case "id" | "ids":
            found = re.sub(r"^(update|delete|archive|revoke|test)", "", operation)
            found = found.removesuffix("ies") + "y" if found.endswith("ies") else found
            found = "delivery" if operation == "redeliver" else found
        case "type":
            found = "EntityType"
        case _:
            found = name.removesuffix("Id")
    return "Workflow" if found == "node" else found[0].upper() + found[1:]

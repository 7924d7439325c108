"""Values as GraphQL writes them."""

import json
from typing import Any, cast

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull


def literal(value: object, of: object = None) -> str:
    """`of` tells names of enums from texts; without it, the value is JSON."""
    kind: Any = cast("Any", of).of_type if isinstance(of, GraphQLNonNull) else of
    match value:
        case dict():
            fields: dict[str, Any] = kind.fields if isinstance(kind, GraphQLInputObjectType) else {}
            inner = (
                f"{name}: {literal(one, fields[name].type if name in fields else None)}"
                for name, one in cast("dict[str, Any]", value).items()
                if name.isidentifier() and name.isascii()
            )
            return f"{{{', '.join(inner)}}}"
        case list():
            element: object = cast("Any", kind).of_type if isinstance(kind, GraphQLList) else None
            return f"[{', '.join(literal(one, element) for one in cast('list[Any]', value))}]"
        case str() if isinstance(kind, GraphQLEnumType):
            return value if value.isidentifier() else "NONE"
        case _:
            return json.dumps(value)

"""Every root field needs a viewer: checked on the finished schema, so a new field is checked as well."""

from types import SimpleNamespace
from typing import Any

import pytest

from weft.domain.errors import Unauthenticated
from weft.graphql.context import Context
from weft.graphql.schema import WeftSchema

schema = WeftSchema()
ROOT_FIELDS = [
    pytest.param(field, id=f"{root.name}.{name}") for root in schema.roots for name, field in root.fields.items()
]


@pytest.mark.parametrize("field", ROOT_FIELDS)
def test_a_root_field_begins_only_for_a_known_viewer(field: Any) -> None:
    services: Any = None
    info = SimpleNamespace(context=Context(services, "request", Unauthenticated("No key.")))
    with pytest.raises(Unauthenticated, match="No key"):
        (field.subscribe or field.resolve)(None, info)


def test_every_mutation_takes_one_input_and_answers_with_errors() -> None:
    mutation = next(root for root in schema.roots if root.name == "Mutation")
    for name, field in mutation.fields.items():
        assert list(field.args) == ["input"], name
        payload: Any = field.type
        assert str(payload.of_type.fields["errors"].type) == "[UserError!]!", name
        changed = {key: value for key, value in payload.of_type.fields.items() if key != "errors"}
        assert changed, f"{name} answers with nothing but errors"
        for key, value in changed.items():
            computed = value.extensions["strawberry-definition"].base_resolver is not None
            assert computed or not str(value.type).endswith("!"), f"{name}.{key} must allow null: errors leave it out"


def test_every_connection_has_bounded_pages() -> None:
    types: dict[str, Any] = schema._schema.type_map
    for kind in types.values():
        for name, field in getattr(kind, "fields", {}).items():
            if str(getattr(field, "type", "")).rstrip("!").endswith("Connection"):
                assert {"first", "after"} <= set(field.args), f"{kind.name}.{name}"

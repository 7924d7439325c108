"""The example operations of the explorer fit the schema, whoever changes which of the two."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema, get_operation_ast, parse, validate
from graphql.execution.values import get_variable_values

from weft.graphql.schema import WeftSchema

OPERATIONS = Path(__file__).parent.parent.parent / "web/explorer/operations"
EXAMPLES = sorted(path.name for path in OPERATIONS.glob("*.graphql"))
PLACEHOLDER = re.compile(r'"<([\w.]+)>"')


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(WeftSchema().as_str())


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_fits_the_schema_with_its_variables(schema: GraphQLSchema, name: str) -> None:
    text = (OPERATIONS / name).read_text(encoding="utf-8")
    document = parse(text)
    assert validate(schema, document) == []
    operation = get_operation_ast(document)
    assert operation is not None
    assert not isinstance(get_variable_values(schema, operation.variable_definitions or (), variables_of(name)), list)
    assert re.match(r"# \w.*[^.]\n# \w.*\.\n\w", text), "a title, a sentence, and the operation"


def test_what_an_example_needs_an_earlier_one_asks_for() -> None:
    asked: set[str] = set()
    for name in EXAMPLES:
        beside = OPERATIONS / name.replace(".graphql", ".json")
        needed = set(PLACEHOLDER.findall(beside.read_text(encoding="utf-8"))) if beside.exists() else set[str]()
        assert needed <= asked
        asked |= paths(parse((OPERATIONS / name).read_text(encoding="utf-8")).definitions[0])


def paths(node: Any, *above: str) -> set[str]:
    """Every field that is selected, by its way through the answer."""
    found: set[str] = set()
    for selection in node.selection_set.selections if node.selection_set else ():
        here = (*above, selection.name.value) if selection.kind == "field" else above
        found |= {".".join(here), *paths(selection, *here)}
    return found


def variables_of(name: str) -> dict[str, Any]:
    beside = OPERATIONS / name.replace(".graphql", ".json")
    return json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else {}

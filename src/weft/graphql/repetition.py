"""How often a query asks for the same within one selection.

Validation compares every two of them, with all that is below: a thousand tokens that say the same 240 times kept a process from
all else for a second. Who writes a query writes a field once; programs that put it together from fragments, a few times.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

MOST_REPEATED = 30


def too_often(document: DocumentNode) -> str | None:
    """The name of a field with selections of its own that one selection, with its fragments, has too often."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    open_sets = [
        node.selection_set
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    while open_sets:
        selections = open_sets.pop()
        open_sets += (field.selection_set for field in _fields(selections, {}) if field.selection_set)
        names = Counter(
            (field.alias or field.name).value for field in _fields(selections, fragments) if field.selection_set
        )
        for name, times in names.items():
            if times > MOST_REPEATED:
                return name
    return None


def _fields(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    """With those of inline fragments and of these fragments, each of which counts once."""
    spread: set[str] = set()
    left = [selections]
    while left:
        for node in left.pop().selections:
            match node:
                case FieldNode():
                    yield node
                case InlineFragmentNode():
                    left.append(node.selection_set)
                case FragmentSpreadNode(name=name) if name.value in fragments and name.value not in spread:
                    spread.add(name.value)
                    left.append(fragments[name.value].selection_set)
                case _:
                    pass

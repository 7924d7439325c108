"""Bounds of introspection, which anybody may ask for without a key, and which is answered without a pause.

graphql-core bounds how deep its lists nest. Under other names the same lists could be asked for again and again: a query of a
thousand tokens had a process do nothing else for seconds. Tools have no need of it.
"""

from typing import Any

from graphql import FieldNode, ValidationRule

from weft.graphql.errors import QUERY_TOO_LARGE, coded

_SCHEMA = "__schema"


class NoAliasesInIntrospection(ValidationRule):
    """Each list of the schema is told once. `__typename` and `__type`, which tell little, are left alone."""

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        if node.alias is None or node.alias.value == node.name.value:
            return
        parent = self.context.get_parent_type()
        within = parent is not None and parent.name.startswith("__")
        if (within and node.name.value != "__typename") or node.name.value == _SCHEMA:
            why = f"Introspection takes no aliases, and {node.alias.value!r} is one. Ask for `{node.name.value}` as it is."
            error = coded(QUERY_TOO_LARGE, why)
            error.nodes = [node]
            self.report_error(error)

"""Puts a limit on the length of everything a compiled expression loops over.

The library allows 10,000 rounds in one evaluation, but `map` and `filter` copy their growing list in every round: 9,000 elements
take 4 s and 1.3 GB, 1,000 take 16 ms and 16 MB. It has no switch for that, so the checked expression is changed: every
`range.map(…)` becomes `(size(range) <= 1000 ? range : <an error>).map(…)`, with the range evaluated once. It costs half a
microsecond per loop.
"""

from typing import Any

from weft.kit.cel import proto
from weft.kit.cel.proto import Message

LONGEST_RANGE = 1000
OVERLONG_INDEX = 1_000_000_007
"""The index whose "out of range" error means: the guard spoke."""


def guarded(serialised: bytes) -> bytes | None:
    """The same expression with guarded loops; None where it has no loop."""
    checked = proto.parse(serialised)
    guard = _Guard(checked)
    guard.visit(checked.expr)
    return proto.serialise(checked) if guard.loops else None


class _Guard:
    def __init__(self, checked: Message) -> None:
        self.checked = checked
        self.next_id = 1 + max((entry.key for entry in checked.types), default=0)
        self.loops = 0

    def visit(self, expression: Message) -> None:
        kind = expression.WhichOneof("kind")
        part: Message = getattr(expression, kind or "const_expr")
        match kind:
            case "select_expr":
                self.visit(part.operand)
            case "call_expr":
                if part.HasField("target"):
                    self.visit(part.target)
                self._visit_all(part.args)
            case "list_expr":
                self._visit_all(part.elements)
            case "struct_expr":
                for entry in part.entries:
                    if entry.HasField("map_key"):
                        self.visit(entry.map_key)
                    self.visit(entry.value)
            case "comprehension_expr":
                for one in (part.iter_range, part.accu_init, part.loop_condition, part.loop_step, part.result):
                    self.visit(one)
                self._guard(part)
            case _:
                pass

    def _visit_all(self, expressions: Any) -> None:
        for expression in expressions:
            self.visit(expression)

    def _guard(self, loop: Message) -> None:
        if loop.iter_range.WhichOneof("kind") == "list_expr":
            return  # as long as it is written
        self.loops += 1
        name = f"@range{self._fresh()}"
        fits = self._call(
            "_<=_",
            "less_equals_int64",
            self._call("size", "size_list size_map", self._name(name)),
            self._constant(int64_value=LONGEST_RANGE),
        )
        too_long = self._call("_[_]", "index_list", self._list(), self._constant(int64_value=OVERLONG_INDEX))
        # CEL has no "let": a loop over nothing whose accumulator starts as the value is the same thing.
        let = proto.new("Expr", id=self._fresh())
        let.comprehension_expr.iter_var = "#unused"
        let.comprehension_expr.iter_range.CopyFrom(self._list())
        let.comprehension_expr.accu_var = name
        let.comprehension_expr.accu_init.CopyFrom(loop.iter_range)
        let.comprehension_expr.loop_condition.CopyFrom(self._constant(bool_value=False))
        let.comprehension_expr.loop_step.CopyFrom(self._name(name))
        let.comprehension_expr.result.CopyFrom(self._call("_?_:_", "conditional", fits, self._name(name), too_long))
        loop.iter_range.CopyFrom(let)

    def _fresh(self) -> int:
        self.next_id += 1
        return self.next_id

    def _refer(self, **fields: Any) -> int:
        number = self._fresh()
        self.checked.references.add(key=number, value=proto.new("Reference", **fields))
        return number

    def _name(self, name: str) -> Message:
        expression = proto.new("Expr", id=self._refer(name=name))
        expression.ident_expr.name = name
        return expression

    def _call(self, function: str, overloads: str, *arguments: Message) -> Message:
        expression = proto.new("Expr", id=self._refer(overload_id=overloads.split()))
        expression.call_expr.function = function
        expression.call_expr.args.extend(arguments)
        return expression

    def _constant(self, **value: Any) -> Message:
        return proto.new("Expr", id=self._fresh(), const_expr=proto.new("Constant", **value))

    def _list(self) -> Message:
        return proto.new("Expr", id=self._fresh(), list_expr=proto.new("CreateList"))

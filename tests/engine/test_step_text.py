"""Texts of steps read the names in scope and, beside them, the fields of the input."""

from typing import Any

from weft.engine.compiling.step_text import compile_text

VALUES: dict[str, Any] = {"input": {"total": 5, "run": "mine"}, "run": {"id": "r1"}, "steps": {}, "params": {"x": 1}}


def test_a_field_of_the_input_needs_no_prefix() -> None:
    assert compile_text("{{ total }} {{ input.total }} {{ params.x }}").render(VALUES) == "5 5 1"


def test_a_name_in_scope_stands_before_a_field_of_the_same_name() -> None:
    assert compile_text("{{ run.id }} {{ input.run }}").render(VALUES) == "r1 mine"


def test_an_input_that_is_no_object_has_no_fields() -> None:
    assert compile_text("{{ input }}{{ total | default: '-' }}").render({"input": "text"}) == "text-"


def test_a_text_tells_which_names_it_reads() -> None:
    assert compile_text("{% for l in lines %}{{ l.price }}{% endfor %}{{ item.id }}").names_read == {"input", "item"}
    assert compile_text("plain").names_read == frozenset()

"""Every code of an error is used, and every error has words for itself."""

import ast

import pytest
from architecture.sources import modules

from weft.domain import errors
from weft.domain.errors import ErrorCode, WeftError


def test_every_error_code_is_used() -> None:
    used = {
        node.attr
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ErrorCode"
    }
    assert used == {code.name for code in ErrorCode}


def _all(error: type[WeftError]) -> list[type[WeftError]]:
    return [error, *(inner for direct in error.__subclasses__() for inner in _all(direct))]


@pytest.mark.parametrize("error", _all(WeftError), ids=lambda error: error.__name__)
def test_an_error_says_what_it_is_without_being_told(error: type[WeftError]) -> None:
    assert (error.__doc__ or "").endswith((".", "`."))
    assert error.code in ErrorCode


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    drawn = errors.__doc__ or ""
    for error in _all(WeftError):
        if error.__module__ == errors.__name__:
            assert error.__name__ in drawn

"""The built-in rule sets, read once: each a JSON file, and a module of the same name for what is more than rules."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files

from weft.kit.extraction.rule_set import RuleSet
from weft.kit.extraction.rules import RuleSetText
from weft.kit.extraction.sets import contract, invoice, resume

_MADE_BY: Mapping[str, Callable[[RuleSetText], RuleSet]] = {
    "contract": contract.made,
    "invoice": invoice.made,
    "resume": resume.made,
}
NAMES = tuple(_MADE_BY)


@cache
def built_in(name: str) -> RuleSet:
    return _MADE_BY[name](RuleSetText.model_validate_json(files(__name__).joinpath(f"{name}.json").read_bytes()))

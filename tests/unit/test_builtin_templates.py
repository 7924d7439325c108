"""Every built-in template becomes a workflow without a problem, whatever its parameters."""

from typing import Any

import pytest

from weft.domain.workflow import Template
from weft.engine.compiling.compiler import check
from weft.kit.json_schema import compile_schema
from weft.operations.builtin_templates import builtin_templates
from weft.operations.template_filling import complete_parameters, filled
from weft.steps import discover

CATALOGUE = discover()
GIVEN: dict[str, dict[str, Any]] = {
    "general-send-to-service": {"url": "https://example.com/records"},
    "resume-screening": {"requiredSkills": ['He said "no"\n', "SQL"]},
    "resume-from-document": {"requiredSkills": ['He said "no"\n', "SQL"]},
    "invoice-to-datastore": {"datastore": "warehouse"},
    "invoice-from-document": {"datastore": "warehouse", "integration": "team"},
    "general-summarise": {"provider": "openai", "model": "gpt-5-mini"},
}
CHANGED: dict[str, dict[str, Any]] = {
    "invoice-approval": {"approvalLimit": 5},
    "contract-review": {"reviewValue": 0, "reviewTermDays": 30},
    "resume-screening": {"requiredSkills": ["SQL"], "minimumYears": 7},
    "general-tidy-and-publish": {"longestTitle": 5},
    "general-send-to-service": {"url": "https://example.com/{{ name | url_encode }}", "attempts": 1},
    "contract-from-document": {"minConfidence": 1, "reviewNoticeDays": 1},
    "resume-from-document": {"requiredSkills": ["SQL"], "minConfidence": 0},
    "invoice-to-datastore": {"datastore": "w", "table": "sales.invoice", "approvalLimit": 0},
    "invoice-from-document": {"datastore": "w", "integration": "i", "sureFrom": 0.9},
    "general-document-to-text": {"tables": True, "maxPages": 1},
    "general-summarise": {"provider": "p", "model": "m", "sentences": 1, "characters": 1000},
}


def test_there_is_one_in_each_category() -> None:
    assert {template.category for template in builtin_templates()} == {"general", "invoice", "contract", "resume"}


@pytest.mark.parametrize("template", builtin_templates(), ids=lambda template: template.id)
@pytest.mark.parametrize("parameters", [GIVEN, CHANGED], ids=["usual", "changed"])
def test_a_template_compiles(template: Template, parameters: dict[str, dict[str, Any]]) -> None:
    complete, problems = complete_parameters(template.parameters_schema, parameters.get(template.id, {}))
    assert problems == ()
    assert check(filled(template.definition, complete), CATALOGUE, template.entity_schema) == ()
    if template.entity_schema is not None:
        compile_schema(template.entity_schema)


def test_a_parameter_is_put_in_as_a_value_or_as_a_literal_of_an_expression() -> None:
    template = {
        "url": {"$parameter": "url"},
        "when": {"$join": ["input.x > ", {"$parameter": "limit"}]},
        "list": [1, "a"],
    }
    assert filled(template, {"url": "u", "limit": 2.0}) == {"url": "u", "when": "input.x > 2.0", "list": [1, "a"]}


def test_parameters_have_defaults_and_are_checked() -> None:
    schema = {
        "type": "object",
        "properties": {"limit": {"type": "number", "default": 3}, "name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    }
    assert complete_parameters(schema, {"name": "x"}) == ({"limit": 3.0, "name": "x"}, ())
    _, problems = complete_parameters(schema, {"limit": "many", "nme": 1})
    assert {problem.path for problem in problems} == {
        ("parameters", "limit"),
        ("parameters", "name"),
        ("parameters", "nme"),
    }
    assert complete_parameters(None, {"x": 1})[1]

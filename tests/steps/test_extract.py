"""The step that reads values out of documents."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import pytest
from steps.items import ItemForTest, item, problems, step

from weft.domain.outside import Datastores, Files, Integrations, ModelReply, ModelRequest, Outside
from weft.domain.step import Fail, Output, Shape
from weft.domain.usage import Usage
from weft.integrations.http import HttpClient
from weft.kit.extraction.sets import NAMES
from weft.kit.json_schema import compile_schema
from weft.steps._extract_config import ExtractConfig

RECEIPT = (
    "ACME Ltd\nInvoice number: A-17\nInvoice date: 2 May 2026\nSubtotal 10.00 EUR\nVAT 2.00 EUR\nTotal due 12.00 EUR\n"
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "room": {"type": "string"},
        "since": {"type": "string", "format": "date"},
        "rent": {"type": "number"},
        "guests": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["room"],
}
LETTER = "Room: 12 B\nSince: 1 May 2026\nThe rent is 900.00 EUR.\nGuests: Ada and Bob\n"
MODEL: dict[str, Any] = {"provider": "house", "model": "large-1"}


@dataclass(slots=True)
class Reader:
    """Stands where models would be: it gives one answer, and keeps what it was asked."""

    answer: Any
    asked: list[ModelRequest] = field(default_factory=list[ModelRequest])

    async def providers(self) -> Sequence[str]:
        return ("house",)

    async def generate(self, request: ModelRequest) -> ModelReply:
        self.asked.append(request)
        return ModelReply(self.answer, "large-1", Usage(calls=1, input_tokens=50, output_tokens=9))


def outside(models: Reader) -> Outside:
    nothing = object()
    return Outside(
        HttpClient(), cast("Files", nothing), models, cast("Datastores", nothing), cast("Integrations", nothing)
    )


async def given(config: dict[str, Any], document: Any, models: Reader | None = None) -> Output:
    prepared = step("extract", config)
    ctx: ItemForTest = item(document)
    output = await prepared.run(replace(ctx, world=outside(models)) if models else ctx, document)
    assert prepared.output_schema is not None
    assert compile_schema(prepared.output_schema).check(output.value) == []
    return output


async def test_values_come_with_their_place_and_how_sure_they_are() -> None:
    document = {"text": RECEIPT, "pages": [{"number": 1, "text": RECEIPT, "width": 595.0, "height": 842.0}]}

    value = (await given({"use": "invoice"}, document)).value

    assert value["values"] == {
        "number": "A-17", "date": "2026-05-02", "total": 12.0, "net": 10.0, "tax": 2.0, "currency": "EUR", "issuer": "ACME Ltd",
    }  # fmt: skip
    number = value["fields"]["number"]
    assert number["found"] == {
        "page": 1, "start": 25, "end": 29, "text": "A-17", "by": "rule", "rule": "label:invoice number",
    }  # fmt: skip
    assert number["confidence"] > 0.8
    assert "dueDate" in value["missing"]
    assert 0 < value["confidence"] < 1


async def test_what_has_no_rules_is_looked_for_beside_its_name() -> None:
    value = (await given({"schema": SCHEMA}, LETTER)).value

    assert value["values"] == {"room": "12 B", "since": "2026-05-01", "guests": ["Ada and Bob"]}
    assert value["missing"] == ["rent"]


async def test_rules_of_the_config_stand_beside_those_of_the_built_in_set() -> None:
    order = {"type": "object", "properties": {"number": {"type": "string"}, "warehouse": {"type": "string"}}}
    fields = {"warehouse": {"rules": [{"kind": "pattern", "pattern": "from warehouse (?P<value>[A-Z]+)"}]}}

    value = (
        await given({"use": "invoice", "schema": order, "fields": fields}, RECEIPT + "sent from warehouse KLM")
    ).value

    assert value["values"] == {"number": "A-17", "warehouse": "KLM"}


async def test_the_document_may_be_a_field_of_the_input() -> None:
    assert (await given({"schema": SCHEMA, "field": "letter"}, {"letter": LETTER})).value["values"]["room"] == "12 B"
    with pytest.raises(Fail, match="no field 'letter'"):
        await given({"schema": SCHEMA, "field": "letter"}, {"text": LETTER})


async def test_an_item_that_lacks_a_required_value_fails_and_says_which() -> None:
    with pytest.raises(Fail) as failure:
        await given({"schema": {**SCHEMA, "required": ["room", "rent"]}}, LETTER)

    assert failure.value.code == "EXTRACTION_INCOMPLETE"
    assert failure.value.reason == "Required values are missing or not sure enough: rent."
    assert failure.value.details == [{"path": ["rent"], "message": "was not found surely enough"}]


async def test_a_value_that_is_not_sure_enough_lacks_too() -> None:
    assert (await given({"schema": SCHEMA}, LETTER)).value["values"]["room"] == "12 B"
    with pytest.raises(Fail, match="room"):
        await given({"schema": SCHEMA, "minConfidence": 0.9}, LETTER)


async def test_what_is_required_may_be_said_apart_from_the_schema() -> None:
    with pytest.raises(Fail, match="rent"):
        await given({"schema": SCHEMA, "required": ["rent"]}, LETTER)

    assert (await given({"schema": SCHEMA, "required": ["since"]}, "Since: 1 May 2026")).value["values"] == {
        "since": "2026-05-01"
    }


async def test_a_missing_value_may_be_left_out() -> None:
    value = (await given({"schema": SCHEMA, "onMissing": "LEAVE"}, "nothing of it")).value

    assert value == {"values": {}, "fields": {}, "missing": ["room", "since", "rent", "guests"], "confidence": 0.0}


@pytest.mark.parametrize("document", [None, 7, [], {}, {"text": None}])
async def test_what_is_no_document_fails(document: Any) -> None:
    with pytest.raises(Fail) as failure:
        await given({"schema": SCHEMA}, document)

    assert failure.value.code == "NO_DOCUMENT"


async def test_a_model_reads_the_text_and_its_values_are_found_in_it() -> None:
    answer = {"room": "12 b", "since": "2026-05-01", "rent": 900, "guests": ["Ada", "Bob", "Carla"]}
    models = Reader(answer)

    output = await given({"schema": SCHEMA, "by": "MODEL", "minConfidence": 0.1, **MODEL}, LETTER, models)

    fields = output.value["fields"]
    assert output.usage == Usage(calls=1, input_tokens=50, output_tokens=9)
    assert {path: LETTER[f["found"]["start"] : f["found"]["end"]] for path, f in fields.items() if f["found"]} == {
        "room": "12 B", "since": "1 May 2026", "rent": "900.00 EUR", "guests.0": "Ada", "guests.1": "Bob",
    }  # fmt: skip
    assert {f["found"]["by"] for f in fields.values() if f["found"]} == {"model"}
    assert fields["guests.2"]["found"] is None
    assert fields["guests.2"]["confidence"] < 0.5 < fields["room"]["confidence"]


async def test_what_a_model_invents_is_missing() -> None:
    models = Reader({"room": "99 Z", "rent": 12345.0})

    output = await given({"schema": SCHEMA, "by": "MODEL", "onMissing": "LEAVE", **MODEL}, LETTER, models)

    assert output.value["values"] == {}


async def test_a_model_is_asked_only_for_what_rules_did_not_find() -> None:
    models = Reader({"rent": 900.0})

    output = await given({"schema": SCHEMA, "by": "RULES_THEN_MODEL", "instructions": "Rents of {{ input.text | size }}.", **MODEL}, {"text": LETTER}, models)  # fmt: skip

    (request,) = models.asked
    assert request.schema is not None
    assert list(request.schema["properties"]) == ["rent"]
    assert (request.provider, request.model, request.timeout) == ("house", "large-1", timedelta(minutes=5))
    assert "stranger" in (request.instructions or "")
    assert f"Rents of {len(LETTER)}." in (request.instructions or "")
    assert LETTER in request.prompt
    assert output.value["values"]["rent"] == 900.0
    assert [f["found"]["by"] for f in output.value["fields"].values()] == ["rule", "rule", "model", "rule"]


async def test_no_model_is_asked_where_rules_found_everything() -> None:
    models = Reader(None)
    text = f"{LETTER}Rent: 900.00 EUR"

    output = await given({"schema": SCHEMA, "by": "RULES_THEN_MODEL", **MODEL}, text, models)

    assert models.asked == []
    assert not output.usage
    assert output.value["missing"] == []


async def test_the_text_for_a_model_is_bounded_and_the_log_says_so() -> None:
    models = Reader({"room": "12 B"})
    prepared = step("extract", {"schema": SCHEMA, "by": "MODEL", "maxCharacters": 1_000, **MODEL})
    ctx = replace(item(None), world=outside(models))

    await prepared.run(ctx, LETTER + "x" * 5_000)

    assert len(models.asked[0].prompt) < 1_100
    assert "first 1,000 characters" in ctx.logged[0][1]


async def test_an_item_that_fails_after_a_model_was_asked_keeps_what_that_cost() -> None:
    with pytest.raises(Fail) as failure:
        await given({"schema": SCHEMA, "by": "MODEL", **MODEL}, LETTER, Reader({}))

    assert failure.value.usage.input_tokens == 50


async def test_a_provider_that_is_not_there_is_a_problem_when_the_workflow_is_saved() -> None:
    world = outside(Reader(None))

    (problem,) = await step("extract", {"schema": SCHEMA, "by": "MODEL", **MODEL, "provider": "hous"}).examine(world)
    assert (problem.path, problem.hint) == (("provider",), 'did you mean "house"?')
    assert not await step("extract", {"schema": SCHEMA, "by": "MODEL", **MODEL}).examine(world)
    assert not await step("extract", {"schema": SCHEMA}).examine(world)


RULES = {"kind": "pattern", "pattern": "x"}


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({}, ""),
        ({"schema": SCHEMA, "by": "MODEL"}, ""),
        ({"schema": SCHEMA, "provider": "house", "model": "m"}, ""),
        ({"use": "poem"}, "use"),
        ({"schema": {"type": "objet"}}, "schema/type"),
        ({"schema": SCHEMA, "fields": {"rom": {"rules": [RULES]}}}, "fields/rom"),
        ({"schema": SCHEMA, "fields": {"room": {"many": True, "rules": [RULES]}}}, "fields/room/many"),
        ({"schema": SCHEMA, "fields": {"rent": {"type": "date", "rules": [RULES]}}}, "fields/rent/type"),
        ({"schema": SCHEMA, "fields": {"room": {"type": "rows", "columns": {"a": {"headers": ["a"]}}}}}, "fields/room/type"),
        ({"schema": SCHEMA, "fields": {"room": {"rules": [{"kind": "pattern", "pattern": "("}]}}}, "fields/room/rules/0/pattern"),
        ({"schema": SCHEMA, "fields": {"room": {"rules": [{"kind": "pattern", "pattern": "(?=a)"}]}}}, "fields/room/rules/0/pattern"),
        ({"schema": SCHEMA, "fields": {"room": {"rules": [{"kind": "label", "labels": ["a"], "pattern": "["}]}}}, "fields/room/rules/0/pattern"),
        ({"schema": SCHEMA, "fields": {"room": {"rules": [{"kind": "label"}]}}}, "fields/room/rules/0/labels"),
        ({"schema": SCHEMA, "fields": {"room": {"rules": [{"kind": "finder", "finder": "vat_ids"}]}}}, "fields/room/rules/0"),
        ({"schema": SCHEMA, "fields": {"room": {"rules": [RULES] * 21}}}, "fields/room/rules"),
        ({"schema": SCHEMA, "fields": {"room": {"type": "choice", "rules": [RULES]}}}, "fields/room/choices"),
        ({"schema": SCHEMA, "checks": [{"kind": "sum", "fields": ["rent"]}]}, "checks/0/to"),
        ({"schema": SCHEMA, "checks": [{"kind": "order", "fields": ["since", "unti"]}]}, "checks/0/fields/1"),
        ({"schema": SCHEMA, "checks": [{"kind": "rows", "fields": ["rent"], "to": ["rent"]}]}, "checks/0/fields"),
        ({"schema": SCHEMA, "required": ["rooms"]}, "required/0"),
        ({"schema": SCHEMA, "by": "MODEL", **MODEL, "instructions": "{{ a"}, "instructions"),
        ({"schema": {"type": "array", "items": {"type": "string"}}}, "schema"),
        ({"schema": {"type": "object"}}, "schema"),
    ],
)  # fmt: skip
def test_each_mistake_in_a_config_is_told_with_its_path(config: dict[str, Any], path: str) -> None:
    found = problems("extract", config)

    assert "/".join(("steps", "0", "config", *path.split("/"))).rstrip("/") in {"/".join(one.path) for one in found}


def test_the_built_in_sets_can_be_named() -> None:
    choices = ExtractConfig.model_json_schema()["properties"]["use"]["anyOf"][0]["enum"]

    assert sorted(choices) == sorted(NAMES)
    for name in NAMES:
        assert problems("extract", {"use": name}) == ()


def test_it_waits_so_that_a_model_can_be_asked() -> None:
    assert type(step("extract", {"schema": SCHEMA})).shape() is Shape.WAITS

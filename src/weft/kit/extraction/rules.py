"""Rules as people write them, in JSON. What each means is on the package's page."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

MOST_FIELDS = 100
MOST_RULES = 20
MOST_LABELS = 200
LONGEST_LABEL = 100
LONGEST_PATTERN = 1_000


class Kind(StrEnum):
    """What a value is. It decides how the value is read and into which notation it is put."""

    TEXT = "text"
    DATE = "date"
    AMOUNT = "amount"
    NUMBER = "number"
    CURRENCY = "currency"
    PHONE = "phone"
    MAIL = "mail"
    NAME = "name"
    IBAN = "iban"
    VAT_ID = "vatId"
    URL = "url"
    PERCENT = "percent"
    DURATION = "duration"
    PLACE = "place"
    LANGUAGE = "language"
    CHOICE = "choice"
    ROWS = "rows"


class Where(StrEnum):
    RIGHT = "RIGHT"
    BELOW = "BELOW"
    LEFT = "LEFT"
    ABOVE = "ABOVE"


class Take(StrEnum):
    FIRST = "FIRST"
    LAST = "LAST"
    ALL = "ALL"


class Rule(BaseModel):
    """A record of a rule set: camelCase in JSON, unknown fields refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, hide_input_in_errors=True)


Label = Annotated[str, Field(min_length=1, max_length=LONGEST_LABEL)]
Labels = Annotated[tuple[Label, ...], Field(min_length=1, max_length=MOST_LABELS)]
Pattern = Annotated[str, Field(min_length=1, max_length=LONGEST_PATTERN)]
Confidence = Annotated[float, Field(gt=0, le=1)]
RuleName = Annotated[str, Field(min_length=1, max_length=100)]
_NAME = "What the rule is called in `found.rule`; left out, its kind and the label or its number."


class LabelRule(Rule):
    """A value beside a label."""

    kind: Literal["label"] = Field(description="A value that stands beside a label.", examples=["label"])
    name: RuleName | None = Field(default=None, description=_NAME, examples=["invoice number"])
    labels: Labels = Field(
        description="The words that announce the value, in any language; upper case, accents, a colon and dots do not matter.",
        examples=[["invoice number", "rechnungsnummer"]],
    )
    where: tuple[Where, ...] = Field(
        default=(Where.RIGHT, Where.BELOW),
        min_length=1,
        max_length=4,
        description="Where the value stands, seen from the label; the first place that holds one is taken.",
        examples=[["RIGHT", "BELOW"]],
    )
    lines: int = Field(
        default=3, ge=1, le=20, description="BELOW and ABOVE: how many lines are looked at.", examples=[1]
    )
    columns: int = Field(
        default=200,
        ge=1,
        le=1_000,
        description="RIGHT and LEFT: how many columns lie between the label and the value at most.",
        examples=[40],
    )
    take: Take = Field(
        default=Take.FIRST,
        description="Which value is taken where several stand in that place; ALL takes each.",
        examples=["LAST"],
    )
    header: tuple[Label, ...] = Field(
        default=(),
        max_length=MOST_LABELS,
        description="Take only a value of the label's line that stands below one of these words, as in a row of totals.",
        examples=[["net", "excl. VAT"]],
    )
    pattern: Pattern | None = Field(
        default=None,
        description="RE2 pattern that the value has to fit; its first group, where it has one, is the value.",
        examples=["[A-Z]{2}-[0-9]+"],
    )
    anywhere: bool = Field(
        default=False,
        description="Whether the label may stand inside a sentence; otherwise it begins a line or a column.",
        examples=[True],
    )
    confidence: Confidence = Field(
        default=0.85, description="How sure a value is that was found so, from 0 to 1.", examples=[0.85]
    )


class PatternRule(Rule):
    """A value that a regular expression describes."""

    kind: Literal["pattern"] = Field(description="A value that a regular expression describes.", examples=["pattern"])
    name: RuleName | None = Field(default=None, description=_NAME, examples=["order code"])
    pattern: Pattern = Field(
        description="RE2 pattern. Its group `value`, else its first group, else the whole match is the value; for a field of "
        "rows each named group is the column of that name.",
        examples=["Order (?P<value>[0-9]{6})"],
    )
    ignore_case: bool = Field(default=True, description="Whether the pattern ignores case.", examples=[False])
    page: Literal["ANY", "FIRST", "LAST"] = Field(
        default="ANY", description="On which pages it is looked for.", examples=["FIRST"]
    )
    confidence: Confidence = Field(
        default=0.8, description="How sure a value is that was found so, from 0 to 1.", examples=[0.9]
    )


class ColumnRule(Rule):
    """Values of a column."""

    kind: Literal["column"] = Field(description="The values of a column of a table.", examples=["column"])
    name: RuleName | None = Field(default=None, description=_NAME, examples=["article"])
    headers: Labels = Field(description="What the column may be called.", examples=[["article", "item no."]])
    confidence: Confidence = Field(
        default=0.75, description="How sure a value is that was found so, from 0 to 1.", examples=[0.75]
    )


class SectionRule(Rule):
    """The text below a heading."""

    kind: Literal["section"] = Field(description="The text below a heading.", examples=["section"])
    name: RuleName | None = Field(default=None, description=_NAME, examples=["skills"])
    headings: Labels = Field(
        description="What the heading may be called; it stands alone in its line or column.",
        examples=[["skills", "kenntnisse"]],
    )
    until: tuple[Label, ...] = Field(
        default=(),
        max_length=MOST_LABELS,
        description="Headings that end the section, beside those of the other fields.",
        examples=[["education", "ausbildung"]],
    )
    separators: str | None = Field(
        default=None,
        min_length=1,
        max_length=20,
        description="Characters that part the section into values; a new line always does. Left out, a field of one value "
        "takes the section whole, and one of many takes each line.",
        examples=[",;•"],
    )
    lines: int = Field(default=40, ge=1, le=500, description="How many lines a section has at most.", examples=[20])
    confidence: Confidence = Field(
        default=0.75, description="How sure a value is that was found so, from 0 to 1.", examples=[0.75]
    )


class FinderRule(Rule):
    """A value that a function of a built-in rule set finds. Not for people."""

    kind: Literal["finder"]
    finder: str
    confidence: Confidence = 0.75


PlainRule = Annotated[LabelRule | PatternRule | ColumnRule | SectionRule, Field(discriminator="kind")]
AnyRule = Annotated[LabelRule | PatternRule | ColumnRule | SectionRule | FinderRule, Field(discriminator="kind")]


class Column(Rule):
    """A column of a field of rows."""

    type: Kind = Field(default=Kind.TEXT, description="What the column's values are.", examples=["amount"])
    headers: Labels = Field(description="What the column may be called.", examples=[["quantity", "menge"]])


class FieldRules(Rule):
    """How one value is found."""

    type: Kind = Field(
        default=Kind.TEXT, description="What the value is: it decides how it is read and written.", examples=["date"]
    )
    many: bool = Field(
        default=False, description="Whether every value that is found belongs to the field, as a list.", examples=[True]
    )
    choices: Mapping[str, tuple[Label, ...]] = Field(
        default_factory=dict,
        max_length=200,
        description="choice: each value with the words that stand for it.",
        examples=[{"YES": ["yes", "oui", "ja"]}],
    )
    columns: Mapping[str, Column] = Field(
        default_factory=dict,
        max_length=30,
        description="rows: the columns that make up each row.",
        examples=[{"quantity": {"type": "number", "headers": ["quantity", "menge"]}}],
    )
    rules: tuple[PlainRule, ...] = Field(
        default=(),
        max_length=MOST_RULES,
        description="Ways to find it; all are tried, and what several agree on is surer.",
        examples=[[{"kind": "label", "labels": ["due date"]}]],
    )


class BuiltInField(FieldRules):
    """With what only built-in rule sets may use."""

    rules: tuple[AnyRule, ...] = ()  # pyright: ignore[reportIncompatibleVariableOverride] - wider on purpose


class Check(Rule):
    """What has to hold between values. It makes those that agree surer, and those that do not less sure."""

    kind: Literal["sum", "order", "distinct", "rows"] = Field(
        description="sum: the fields add up to `to`. order: dates do not fall behind each other. distinct: fields do not share a "
        "value, the later one loses it. rows: a column of rows adds up to one of `to`.",
        examples=["sum"],
    )
    fields: tuple[str, ...] = Field(
        min_length=1,
        max_length=20,
        description="The fields, or for rows the field and its column.",
        examples=[["net", "tax"]],
    )
    to: tuple[str, ...] = Field(default=(), max_length=5, description="What they add up to.", examples=[["total"]])


class RuleSetText(Rule):
    """A built-in rule set as its file holds it."""

    schema_: dict[str, Any] = Field(alias="schema")
    fields: Mapping[str, BuiltInField]
    decoys: tuple[Label, ...] = ()
    """Labels that announce something else: a value beside `order number` belongs to no field."""
    checks: tuple[Check, ...] = ()

"""A rule set, checked and compiled once, then used on many documents."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from weft.kit.extraction.candidates import Candidate
from weft.kit.extraction.document import Document
from weft.kit.extraction.labels import LabelIndex, squeezed
from weft.kit.extraction.readings import Readings
from weft.kit.extraction.rules import (
    AnyRule,
    Check,
    FieldRules,
    Kind,
    LabelRule,
    PatternRule,
    RuleSetText,
    SectionRule,
)
from weft.kit.json_schema import Schema
from weft.kit.patterns import BadPatternError, compiled

Candidates = dict[str, list[Candidate]]
"""By field, best first."""
Finder = Callable[[Document, Readings], Iterable[Candidate]]
Reviewer = Callable[[Document, Candidates], None]
"""Changes order and confidence of candidates by what it knows of several fields."""
AttachmentReader = Callable[[Document], Mapping[str, list[Candidate]]]


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """What is wrong with a rule set, with its path inside `fields`."""

    message: str
    path: tuple[str, ...]


@dataclass(frozen=True)
class RuleSet:
    schema: Schema
    fields: Mapping[str, FieldRules]
    """By path: `number`, `issuer.name`."""
    decoys: Sequence[str] = ()
    checks: Sequence[Check] = ()
    finders: Mapping[str, Finder] = field(default_factory=dict[str, Finder])
    reviewers: Sequence[Reviewer] = ()
    attachments: AttachmentReader | None = None
    patterns: Mapping[str, Any] = field(init=False)
    """Compiled, by their text (with a leading `(?i)` where case does not matter)."""
    index: LabelIndex = field(init=False)
    problems: Sequence[RuleProblem] = field(init=False)
    columns: frozenset[str] = field(init=False)
    """The headers of all columns, squeezed."""
    headings: frozenset[str] = field(init=False)
    decoy_labels: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        patterns, problems = _compiled(self.fields)
        headers = {label for rules in self.fields.values() for label in _headers(rules)}
        headings = {label for rules in self.fields.values() for label in _headings(rules)}
        labels = {label for rules in self.fields.values() for label in _labels(rules)}
        for name, value in {
            "patterns": patterns,
            "problems": problems,
            "columns": frozenset(map(squeezed, headers)),
            "decoy_labels": frozenset(map(squeezed, self.decoys)) - set(map(squeezed, labels)),
            "headings": frozenset(map(squeezed, headings)),
            "index": LabelIndex([*labels, *headers, *headings, *self.decoys]),
        }.items():
            object.__setattr__(self, name, value)


def rule_set(
    text: RuleSetText,
    *,
    finders: Mapping[str, Finder] | None = None,
    reviewers: Sequence[Reviewer] = (),
    attachments: AttachmentReader | None = None,
) -> RuleSet:
    """A built-in rule set from its file and its functions."""
    return RuleSet(text.schema_, text.fields, text.decoys, text.checks, finders or {}, reviewers, attachments)


def pattern_key(pattern: str, *, ignore_case: bool) -> str:
    return f"(?i){pattern}" if ignore_case else pattern


def _pattern_of(rule: AnyRule) -> tuple[str, bool] | None:
    match rule:
        case LabelRule(pattern=str(pattern)):
            return pattern, True
        case PatternRule():
            return rule.pattern, rule.ignore_case
        case _:
            return None


def _compiled(fields: Mapping[str, FieldRules]) -> tuple[dict[str, Any], list[RuleProblem]]:
    patterns: dict[str, Any] = {}
    problems: list[RuleProblem] = []
    for path, rules in fields.items():
        problems += [RuleProblem(message, (path, *where)) for message, where in _misfits(rules)]
        for number, rule in enumerate(rules.rules):
            if (wanted := _pattern_of(rule)) is None:
                continue
            pattern, ignore_case = wanted
            try:
                made = compiled(pattern, ignore_case=ignore_case)
            except BadPatternError as error:
                problems.append(RuleProblem(str(error), (path, "rules", str(number), "pattern")))
                continue
            patterns[pattern_key(pattern, ignore_case=ignore_case)] = made
            if rules.type is Kind.ROWS and not set(made.groupindex) & set(rules.columns):
                names = ", ".join(rules.columns)
                message = f"The pattern has no named group for any of the columns {names}: write (?P<name>…)."
                problems.append(RuleProblem(message, (path, "rules", str(number), "pattern")))
    return patterns, problems


def _misfits(rules: FieldRules) -> Iterable[tuple[str, tuple[str, ...]]]:
    if rules.type is Kind.ROWS and not rules.columns:
        yield "A field of rows needs `columns`.", ("columns",)
    if rules.type is not Kind.ROWS and rules.columns:
        yield "Only a field of the type rows has `columns`.", ("columns",)
    if rules.type is Kind.CHOICE and not rules.choices:
        yield "A field of choices needs `choices`.", ("choices",)
    if rules.type is not Kind.CHOICE and rules.choices:
        yield "Only a field of the type choice has `choices`.", ("choices",)
    if rules.type is Kind.ROWS:
        wrong = [number for number, rule in enumerate(rules.rules) if isinstance(rule, LabelRule | SectionRule)]
        for number in wrong:
            yield "Rows are found by their columns or by a pattern with named groups.", ("rules", str(number), "kind")


def _labels(rules: FieldRules) -> Iterable[str]:
    for rule in rules.rules:
        if isinstance(rule, LabelRule):
            yield from rule.labels


def _headings(rules: FieldRules) -> Iterable[str]:
    for rule in rules.rules:
        if isinstance(rule, SectionRule):
            yield from (*rule.headings, *rule.until)


def _headers(rules: FieldRules) -> Iterable[str]:
    for column in rules.columns.values():
        yield from column.headers
    for rule in rules.rules:
        if rule.kind == "column":
            yield from rule.headers

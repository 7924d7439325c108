"""All that the rules of a set find in a document, by field."""

from collections.abc import Iterator

from weft.kit.extraction.beside import beside_labels
from weft.kit.extraction.candidates import Candidate, ranked
from weft.kit.extraction.look import Look
from weft.kit.extraction.rows import in_column, row_candidates
from weft.kit.extraction.rule_set import Candidates
from weft.kit.extraction.rules import (
    AnyRule,
    ColumnRule,
    FieldRules,
    FinderRule,
    Kind,
    LabelRule,
    PatternRule,
    SectionRule,
)
from weft.kit.extraction.sections import in_sections
from weft.kit.extraction.spelled import by_pattern

MOST_CANDIDATES = 2_000
"""Of one field; more tell nothing new."""


def gathered(look: Look) -> Candidates:
    return {path: _of_field(look, rules) for path, rules in look.rule_set.fields.items()}


def _of_field(look: Look, rules: FieldRules) -> list[Candidate]:
    if rules.type is Kind.ROWS:
        return sorted(row_candidates(look, rules), key=lambda candidate: -candidate.confidence)
    found: list[Candidate] = []
    for number, rule in enumerate(rules.rules):
        for candidate in _by_rule(look, rules, rule, number):
            found.append(candidate)
            if len(found) == MOST_CANDIDATES:
                return ranked(found)
    return ranked(found)


def _by_rule(look: Look, rules: FieldRules, rule: AnyRule, number: int) -> Iterator[Candidate]:
    match rule:
        case ColumnRule():
            yield from in_column(look, rules, rule)
        case FinderRule():
            for candidate in look.rule_set.finders[rule.finder](look.document, look.readings):
                yield candidate.doubted(rule.confidence)
        case LabelRule() | PatternRule() | SectionRule():
            for page in look.document.pages:
                if isinstance(rule, LabelRule):
                    yield from beside_labels(look, page, rules, rule)
                elif isinstance(rule, PatternRule):
                    yield from by_pattern(look, page, rules, rule, rule.name or f"pattern:{number}")
                else:
                    yield from in_sections(look, page, rules, rule)

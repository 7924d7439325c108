"""From a document and a rule set to values."""

from collections.abc import Sequence

from weft.kit.extraction.candidates import Candidate, chosen, ranked
from weft.kit.extraction.checks import apply
from weft.kit.extraction.document import Document
from weft.kit.extraction.extraction import Extraction
from weft.kit.extraction.gathering import gathered
from weft.kit.extraction.look import Look
from weft.kit.extraction.rule_set import Candidates, RuleSet
from weft.kit.extraction.shaping import Shaper

WORTH_LISTING = 0.25
"""Of a field of many: what is less sure than this is not part of the list."""


def extract(document: Document, rule_set: RuleSet, shaper: Shaper, *, min_confidence: float = 0.0) -> Extraction:
    """What the rules find, checked against each other, in the shape of the schema."""
    return settled(document, candidates_of(document, rule_set), rule_set, shaper, min_confidence)


def candidates_of(document: Document, rule_set: RuleSet) -> Candidates:
    """By field, what rules find and what the document carries as data."""
    candidates = gathered(Look(document, rule_set))
    if rule_set.attachments is not None:
        candidates |= rule_set.attachments(document)
    return candidates


def settled(
    document: Document, candidates: Candidates, rule_set: RuleSet, shaper: Shaper, min_confidence: float
) -> Extraction:
    """Candidates of whatever origin, checked against each other. Those given are left as they are."""
    checked = {path: list(candidates.get(path, ())) for path in rule_set.fields}
    apply(rule_set.checks, checked)
    for review in rule_set.reviewers:
        review(document, checked)
    checked |= {path: found for path, found in candidates.items() if _is_certain(found)}
    return shaper.shaped(decided(rule_set, checked), min_confidence)


def together(candidates: Candidates, others: Candidates) -> Candidates:
    """Candidates of two origins: what both name is surer."""
    paths = {**candidates, **others}
    return {path: ranked((*candidates.get(path, ()), *others.get(path, ()))) for path in paths}


def _is_certain(found: Sequence[Candidate]) -> bool:
    return any(one.confidence == 1.0 for one in found)


def decided(rule_set: RuleSet, candidates: Candidates) -> dict[str, list[Candidate]]:
    """One candidate for each field, several for a field of many."""
    decisions: dict[str, list[Candidate]] = {}
    for path, found in candidates.items():
        rules = rule_set.fields.get(path)
        if rules is not None and rules.many:
            decisions[path] = in_order([one for one in found if one.confidence >= WORTH_LISTING])
        else:
            decisions[path] = [one] if (one := chosen(found)) is not None else []
    return decisions


def in_order(candidates: Sequence[Candidate]) -> list[Candidate]:
    """As they stand in the document; what stands nowhere comes last."""
    return sorted(candidates, key=_place)


def _place(candidate: Candidate) -> tuple[bool, int, int]:
    found = candidate.found
    return (True, 0, 0) if found is None else (False, found.page or 0, found.start)

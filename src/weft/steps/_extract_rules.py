"""The rule set of one extract step: a built-in one, what the config adds, and for the rest the names of the schema."""

from collections.abc import Iterator, Mapping

from weft.domain.errors import ErrorCode
from weft.domain.step import StepScope
from weft.kit.extraction.leaves import Leaf, default_rules
from weft.kit.extraction.rule_set import RuleSet
from weft.kit.extraction.rules import Check, FieldRules, Kind
from weft.kit.extraction.shaping import Shaper
from weft.kit.suggest import hint_for
from weft.steps._extract_config import ExtractConfig

_TEXTS = frozenset(Kind) - {Kind.AMOUNT, Kind.NUMBER, Kind.PERCENT, Kind.TEXT, Kind.CHOICE, Kind.ROWS}
_Found = Iterator[tuple[str, tuple[str, ...]]]


def rule_set_of(config: ExtractConfig, shaper: Shaper, base: RuleSet | None, scope: StepScope) -> RuleSet:
    """Notes what is wrong, under its path in the config."""
    fields: dict[str, FieldRules] = dict(base.fields) if base is not None else {}
    for path, leaf in shaper.leaves.items():
        rules = config.fields.get(path) or fields.get(path) or default_rules(leaf)
        fields[path] = rules.model_copy(update={"many": leaf.many and not leaf.columns})
    for message, path in (*_misfits(config, shaper.leaves), *_odd_checks(config, fields)):
        scope.problem(ErrorCode.INVALID_CONFIG, message, *path)
    made = RuleSet(
        shaper.schema,
        fields,
        decoys=(*(base.decoys if base is not None else ()), *config.decoys),
        checks=(*(base.checks if base is not None else ()), *config.checks),
        finders=base.finders if base is not None else {},
        reviewers=base.reviewers if base is not None else (),
        attachments=base.attachments if base is not None else None,
    )
    for problem in made.problems:
        if problem.path[0] in config.fields:
            scope.problem(ErrorCode.INVALID_CONFIG, problem.message, "fields", *problem.path)
    return made


def _misfits(config: ExtractConfig, leaves: Mapping[str, Leaf]) -> _Found:
    for path, rules in config.fields.items():
        leaf = leaves.get(path)
        if leaf is None:
            yield f"The schema has no value {path!r}{hint_for(path, leaves)}.", ("fields", path)
        elif rules.many and not leaf.many:
            yield f"{path!r} is no list in the schema.", ("fields", path, "many")
        elif (rules.type is Kind.ROWS) != bool(leaf.columns):
            yield f"{path!r} is {'' if leaf.columns else 'no '}list of objects in the schema.", ("fields", path, "type")
        elif rules.type in _TEXTS and leaf.types is not None and "string" not in leaf.types:
            yield (
                f"A {rules.type} is text, and {path!r} is {' or '.join(sorted(leaf.types))}.",
                ("fields", path, "type"),
            )
        else:
            for column in rules.columns:
                if column not in leaf.columns:
                    message = f"The schema has no column {column!r} in {path!r}{hint_for(column, leaf.columns)}."
                    yield message, ("fields", path, "columns", column)
    for number, path in enumerate(config.required or ()):
        if path not in leaves:
            yield f"The schema has no value {path!r}{hint_for(path, leaves)}.", ("required", str(number))


def _odd_checks(config: ExtractConfig, fields: Mapping[str, FieldRules]) -> _Found:
    for number, check in enumerate(config.checks):
        yield from ((message, ("checks", str(number), *path)) for message, path in _odd(check, fields))


def _odd(check: Check, fields: Mapping[str, FieldRules]) -> _Found:
    needs_sum = check.kind in {"sum", "rows"}
    if needs_sum != bool(check.to):
        yield f"A check of {check.kind} {'needs' if needs_sum else 'has no'} `to`.", ("to",)
    names = check.fields
    if check.kind == "rows":
        rows = fields.get(names[0])
        if len(names) != 2 or (rows is not None and names[1] not in rows.columns):  # noqa: PLR2004 - a field and its column
            yield "A check of rows names a field of rows and one of its columns.", ("fields",)
        names = names[:1]
    for path, some in (("fields", names), ("to", check.to)):
        for place, name in enumerate(some):
            if name not in fields:
                yield f"There is no field {name!r}{hint_for(name, fields)}.", (path, str(place))

"""CEL, Google's Common Expression Language (https://cel.dev): conditions and mappings written by strangers.

scope        the names an expression may read, each with the JSON Schema of its value where that is known
expression   `compile_cel`: parsed, checked against the scope, bounded; then evaluated often
mapping      `compile_mapping`: several named expressions evaluated as one
checking     types and names, by walking the library's own checked tree with the schemas (`schema_types`, `tree`)
guard        loops stopped at a length
bounds       how much work an expression can cause: by `formulas`, from the size of its data (`measures`) and what each function
             makes of it (`calls`, `patterns` for regular expressions)
references   which paths an expression reads: only those are handed to the library
json_values  results as plain JSON
environment  the library itself; nobody else imports it, since one fault of it has to be mended first
"""

from weft.kit.cel.expression import CelEvaluationError, CelExpression, compile_cel
from weft.kit.cel.mapping import CelMapping, compile_mapping
from weft.kit.cel.problems import CelProblem, CelSyntaxError
from weft.kit.cel.schema_types import json_schema_of
from weft.kit.cel.scope import CelScope

__all__ = [
    "CelEvaluationError",
    "CelExpression",
    "CelMapping",
    "CelProblem",
    "CelScope",
    "CelSyntaxError",
    "compile_cel",
    "compile_mapping",
    "json_schema_of",
]

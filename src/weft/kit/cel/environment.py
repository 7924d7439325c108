"""The CEL dialect of this program: the standard functions with the extensions strings, math and optional.

Importing this also makes None immortal on Python 3.11: the library (0.1.3) drops one reference to None for every null it
returns, and the interpreter aborts when the last one is gone, which takes a few thousand nulls. Python 3.12 and later never
count references to None.
"""

import ctypes
import sys
from collections.abc import Mapping

from cel_expr_python import cel
from cel_expr_python.ext import ext_math, ext_optional, ext_strings

if sys.version_info < (3, 12):
    # The count is the first field of every object in CPython. Nobody lives to see 2^40 nulls.
    ctypes.c_ssize_t.from_address(id(None)).value += 1 << 40

_EXTENSIONS = (ext_strings.ExtStrings(), ext_math.ExtMath(), ext_optional.ExtOptional())


def new_environment(variables: Mapping[str, cel.Type]) -> cel.Env:
    """About 70 µs."""
    return cel.NewEnv(variables=variables, extensions=_EXTENSIONS)

"""The model libraries are heavy: they are loaded when the first model is asked, and not before."""

import subprocess
import sys

HEAVY = ("pydantic_ai", "openai", "anthropic", "genai_prices", "httpx2")
LOOK = f"""
import sys
import weft.app, weft.worker, weft.cli
from weft.steps import discover
from weft.graphql.schema import WeftSchema
assert discover().find("ai_generate") and WeftSchema()
print([name for name in {HEAVY!r} if name in sys.modules])
"""


def test_a_server_that_asks_no_model_has_none_of_their_libraries_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr

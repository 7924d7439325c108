"""The command line: `weft up | demo | api | worker | migrate | schema | keys`.

Each command is a thin file: it reads the settings, calls a composition root or an operation, and says in one sentence
what went wrong. `up` is the only one that starts processes.
"""

from weft.cli.main import main

__all__ = ["main"]

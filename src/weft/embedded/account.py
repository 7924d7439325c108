"""Who the services run as: PostgreSQL refuses to run as root, so root hands them to an unprivileged account."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from weft.embedded.errors import EmbeddedServicesError


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int
    switched: bool  # False: it is the account of this process

    @property
    def user(self) -> tuple[int, int] | None:
        """The ids to change to when a child is started, None when there is nothing to change."""
        return (self.uid, self.gid) if self.switched else None

    def may(self, permission: str, path: Path) -> bool:
        """Whether the account can reach the path with `r`, `w` or `x`.

        Asks the kernel as that account: folders above, groups and access lists all count.
        """
        if not self.switched:
            return os.access(path, {"r": os.R_OK, "w": os.W_OK, "x": os.X_OK}[permission])
        # The path is an argument of the shell, not a part of its text.
        test = ("/bin/sh", "-c", f'test -{permission} "$0"', str(path))
        done = subprocess.run(test, user=self.uid, group=self.gid, extra_groups=[], cwd="/", check=False)  # noqa: S603 - see above
        return done.returncode == 0

    def make_private_folder(self, path: Path) -> Path:
        """Creates the folder, closed to everyone but the account. One that exists is left as it is."""
        if not path.exists():
            path.mkdir(mode=0o700)
            if self.switched:
                os.chown(path, self.uid, self.gid)
        return path


def services_account(services: Path) -> Account:
    """This process's own account, or for root: the owner of data that exists already, else `nobody`."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switched=False)
    if services.exists() and (owner := services.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, switched=True)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedServicesError(
            "PostgreSQL does not run as root, and there is no account `nobody` to run it as: start Weft as an ordinary user."
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid, switched=True)

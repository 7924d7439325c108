"""One execution for all who watch the same: what a push costs does not grow with the number of those who ask alike.

    source ─► execution ─► encoding ─► SharedExecution ─┬─► SocketWatcher ─► frame with its own operation id
      (once per event, for all of them)                 ├─► SocketWatcher ─► …
                                                        └─► StreamWatcher ─► event stream

- `registry`: `SharedOperations`, one per process: which operations may be shared, and the execution of each.
- `execution`: `SharedExecution`: one operation of one scope, its watchers, and the newest payload.
- `sockets`: websocket watchers; the frames of one connection, and what waits while its client is slow.
- `streams`: watchers of event streams.
- `handler`: where strawberry's websocket handler lets this in.

**What is shared.** A subscription whose source tells states, each with a `revision` that rises, of which only the newest
counts: its field says so itself (`metadata=SHARED`). Operations are the same when their text, their variables and the name of
the operation are, and the scope: workspace and role. Streams of events are not shared here, since each watcher has a place of
its own in them.

**What depends on the viewer is never shared.** A shared execution is carried out for `Anyone`, a viewer that has a
workspace and a role and nothing else. As soon as a field asks for more (which key? from where?), what it answers is thrown
away, every watcher gets an execution of its own, and the operation is remembered as one that is not shared. So no field has
to be marked, and a new one cannot forget it. A key that is revoked takes its own watchers along, and nobody else's.

**Who comes late** sees a state that is at least as new as its subscription: the execution begins anew for those who came
meanwhile, all of them together, and goes on from there for everybody. The source is opened again, not the payload of a
while ago handed out: whoever subscribes after a mutation was answered sees what it did.

**Latest wins.** A watcher that cannot take a payload now holds the newest one until it can, and no other. One that takes
nothing at all for `STUCK_SECONDS` is let go, with a reason.
"""

SHARED = {"shared": True}
"""The metadata of a subscription field whose executions are shared."""

"""Live progress: from the process that counted to everybody who watches.

    recorder ─ commit ─► ProgressChannel ─► Redis `weft:progress:<run id>` ─► ChannelListener ─► ProgressHub ─► watchers
                 │                                                                                  ▲
                 └────────────► Postgres `run_state` ──── once a second, and after each subscribe ──┘

- `codec`: `Progress` as bytes, and the names of the channels: one for each run, and one for the ends of all.
- `channel`: publishes. It never raises and hardly waits: the counters are in Postgres already, this only makes haste.
- `listener`: one Redis connection per process, subscribed to the channels of the watched runs; it comes back by itself.
- `hub`: one per API process. Per watched run the newest progress, handed to every watcher.
- `feed`: what operations see of all this: one iterator per watcher.

**What a watcher gets.** The newest state known when it came, then newer ones: revisions only rise, states in between may be
left out, the terminal state never is, and it is the last. A run sends at most 20 states a second to its watchers, the
terminal one at once. A watcher that is slow holds one pending state, the newest; no queue grows.

**Nothing hides behind a lost message.** Redis only hints. As soon as Redis confirms a subscription, first or
renewed, the run is read from Postgres once, which closes the gap before it; and every second one query asks for all
watched runs whose revision is above the known one. A lost message delays a state by a second. While Redis is away,
watchers see a state a second; while Postgres is away, nothing new is committed that they could miss.

**What it costs.** An event is decoded once per process and put into each watcher's slot: no task, no query, no Redis command
per watcher. Watchers come and go without a trace: the last one of a run takes its subscription along.

Not promised: every revision to every watcher. Who needs each event reads the stream of events, not progress.
"""

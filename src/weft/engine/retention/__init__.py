"""Retention: what is over is deleted by its age, a little at a time, while everything else goes on.

    sweeper   the duty: whose turn it is, and how much of what
    files     files that nothing uses, with their objects in the store
    (`domain.retention.Ages` says how long what is kept; `storage.retention`, `deleted_runs`, `unused_files` delete it)

One runs in every worker; a row in the database is taken by one of them a minute, so one process deletes at a time. It deletes
chunks of at most a thousand rows, each in a short transaction of its own, with a pause behind it, and no kind of data takes the
time of the others: what is left over has its turn with the next round, at once when there is a lot.

## What is promised

- Nothing that is open or younger than its age is touched: a run that has not ended, an event that nobody looked at, a message
  that waits, a file that a document or an upload has.
- A deleted run is gone at once, as a whole, and is never seen half there. Its items follow bit by bit (`deleted_run`), also
  when the process dies in between. What it counted for its workflow stays counted: statistics, and usage (`past_usage`).
- No statement here waits for a lock, and none is held for long: rows that somebody holds are passed over until the next time.
- A process that dies leaves nothing behind but a turn that nobody takes for `LEASE`.

## What is not promised

- That something goes on the minute it is old enough. Documents of deleted entities and unused files are found by walking through
  their tables, which takes a round for every few thousand rows.
- That a run which goes on over a document that was deleted meanwhile still finds its file.
"""

from weft.engine.retention.sweeper import RetentionSweeper

__all__ = ["RetentionSweeper"]

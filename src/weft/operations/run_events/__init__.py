"""What happens in a run, event by event: told from its beginning or from any event on, without a gap and without a repeat.

- `places`: where an event stands in its run, and the cursors that say so.
- `events`: what can be told.
- `asking`: what of it a watcher wants.
- `pages`: a page of events behind a place, read from Postgres.
- `watching`: a watcher, who is told page after page, and then what happens as it happens.

**Order.** Each revision of a run (`weft.storage.run_changes`) has the items that were finished by it, in the order of their
ordinals, each behind the results of its steps in the order of the workflow; then the lines that the log got with it; then the
run's new status. All of it became visible in one commit, and revisions come without gaps, so a place tells exactly what came
before it.

**What is told of steps** are those of finished items, which were recorded with them. Checkpoints of items that are still under
way belong to no revision and are written over as the item goes on: told from them, a step would come twice or never. Who wants
to see steps under way asks for the run's items that are RUNNING.

**What is asked for changes no place.** A watcher may come back with another choice and the cursor of any event it had.

**Reading.** A page is read in one snapshot of Postgres, and only when the watcher has taken the page before, so a run of a
million items streams in constant memory, at the reader's pace. Live progress (`weft.progress`) only says that there is more
to read. Watchers of a run who ask for the same share what is read (`weft.kit.tails`): a thousand of them at its live end cost
as many statements as one.

**Where the past is gone**, because the run is older than the notes of its revisions, or because its log is kept for a shorter
time, a `SnapshotReset` says so, and what follows goes on behind the gap. Lines that were written before lines had places, and
those that a worker has to say of a run after its end, are no events: the run's log has them.

**Postgres away.** A watcher who waits at the live end does not notice. One who reads is kept waiting for half a minute, and
then told that the database is away; its cursor leads on from there. When the run is deleted, it is told that too.
"""

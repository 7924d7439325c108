"""Schedules: workflows that start by themselves at times of the clock.

    cron       what an expression says (read by cronsim)
    zones      time zones by name
    slots      pure: when an expression is due in a zone, also on the days on which clocks change
    due        pure: what is to be done about a schedule now, after a stop as well
    carrying   does it, in one transaction: the firing, the run, the next slot
    scheduler  the duty in every worker that looks for what is due

A *slot* is one time that a schedule is due. `next_at` is the first slot that nobody looked at yet. Who takes a schedule locks
its row, decides by that, and moves `next_at` in the transaction that stores the firing and the run. So each slot is looked at
once, however many workers there are, and wherever one dies. All go by the clock of the database; where that is set back, no
slot is due twice, since slots follow from slots, never from the time of a look.

Every slot ends as a firing: STARTED, QUEUED (and later one of the others), SKIPPED or REFUSED, with its reason. Slots that are
not caught up on after a stop share one.

What is not promised: that a run begins at its slot to the millisecond. It is stored some milliseconds later, and up to a
second later where the slot was made less than a second before.
"""

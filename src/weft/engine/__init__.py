"""The engine: carries the items of runs through the plans of their workflows, exactly.

## The way of a batch

    dispatcher   claims a batch: which one is decided in Postgres, the run served least recently first
    plans        the compiled plan of the run's version, made once per process (`compiler`)
    preparing    the batch's entities and checkpoints as items ready to run
    execution    every item of the batch is begun
    straight     the way of an item that only computes, and has nothing to decide: nearly all of them
    served       the same for a plan whose last step serves many
    walking      the general way, each item as far as it can go (`item` knows the rule of the graph)
    caching      what a step with `cache` gave to the same content before
    attempt      one step for one item: inline, awaited, in a micro-batch, or in a sandbox
    microbatch   the windows in which calls of many items become one, and who is told what they came to
    outcomes     what an answer, or an exception, means
    finishing    an item's way as the row that is stored
    recorder     gathers rows and writes them: the only writer of results and counters
    flushing     one flush: the transaction in which they are written
    run_log      what steps say by `ctx.log`, and its bounds; `words`: what a worker says of a run by itself
    effects      what a flush writes beside them: what steps handed over, and events
    publisher    tells the watchers, after the commit

## Leases and fencing

A batch is held by a lease: a time in `run_batch.ready_at`, and a token that every claim raises. The holder renews it every
third of its length. Every write names the token, in the same transaction as the results and the counters, so a worker that
was overtaken (it died, it was stopped, its clock stood still) matches no row, and nothing of what it did is kept but what
it said (`run_log`). A batch whose lease ran out is simply ready again: taking over needs no step of its own. The items that
were recorded before are left out when it is loaded; those with a checkpoint go on behind it.

A worker that stops keeps renewing its leases until the steps under way have answered. One that stood still renews what it
holds before it claims more. Renewing waits for no lock: what a flush has locked is renewed by that flush.

The clock is that of Postgres. A batch remembers how far ahead its lease, or its wait, was set: when the clock is set back,
what lies further ahead than that has run out.

## What ends or holds up a worker

A step is a plugin, and may do anything. What it raises, `sys.exit` too, ends its item (`attempt`). What computes and never
returns is found by a thread, which says where and ends the process (`watchdog`); what crashes or exhausts it ends it
anyway. Its supervisor starts another, with a pause that grows. A batch whose holders vanish twice is carried with care,
one step at a time and each written down before it begins, so that the one item that costs worker after worker is found,
tried alone, and fails with WORKER_LOST (`care`). A run in which many items do is ended.

A statement that is not answered is given up, and a transaction that stands still loses its locks (`storage.connections`). A
flush for which there is no room on the disk is tried again until there is.

## What is promised

- One result per item. The primary key of `run_item` would refuse a second; the fence sees to it that none is tried.
- The counters equal the results, at every revision: both are written by the same transaction.
- A step result that was recorded is not computed again. What only computes is recorded with its item; what waits, or costs,
  leaves a checkpoint at the next flush (`recorder.FLUSH_INTERVAL`).
- What an attempt cost is counted once, with its record, also when the attempt failed, the item failed, or the run was
  cancelled; a retry of a run does not count again what the old one paid.
- A step with `cache` is computed once for the same content, and within a worker once at a time.
- A step that breaks its contract, or a fault of our own, costs its item and says so in its error (`INTERNAL_ERROR`); the
  batch, the run and the worker go on. One that ends its worker costs its item and at most four workers, never a neighbour.
- Wake-ups (`wakeups`) only save time. Without any, the dispatcher finds everything within `LOOK_AROUND`.

## What is not promised

- That an effect outside happens once: between the effect and its record lies a small window, in which a crash repeats it.
  Steps get a stable idempotency key to pass on. What is written into entities is exact: it is part of the same transaction.
- The cost of an attempt that broke off with its worker, or was not recorded before its run ended: only the provider knows.
- An order between items.
- That a step which only computes and never returns is interrupted: it runs in the worker's own loop, and ends with it.
- That an item is innocent whose workers are killed from outside four times in a row, twice while it was under way alone.
"""

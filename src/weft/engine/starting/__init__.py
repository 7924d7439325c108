"""Starting runs, whoever or whatever asks for it.

    plans      the compiled plan of a workflow's current version, or of another
    values     the run's input and parameters, checked by the schemas of the plan
    selecting  the entities that it is over, frozen into batches by set-based statements
    single     one run over any selection: what callers, schedules and retries start
    many       many runs at once, each over one entity or its input: what events start, in as few statements as for one

All of it is written in the caller's transaction, with the events and statistics of the start (`storage.run_milestones`). The
caller wakes the workers after the commit. What cannot be started is a `CallerError` before anything is written; its paths
are those of `runWorkflow`.
"""

from weft.engine.starting.many import SmallRun, start_small_runs
from weft.engine.starting.plans import plan_of
from weft.engine.starting.selecting import check_selection
from weft.engine.starting.single import NewStart, start
from weft.engine.starting.values import check_values

__all__ = [
    "NewStart",
    "SmallRun",
    "check_selection",
    "check_values",
    "plan_of",
    "start",
    "start_small_runs",
]

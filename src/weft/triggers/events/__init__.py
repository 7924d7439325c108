"""Triggers that listen to events.

    matching   whether an event is for a trigger, and what run comes of it: pure
    filters    fields of the event that have to have certain values
    checking   what can be said against a trigger before it is saved: its filter, and whether its runs could ever begin
    succession what a changed definition makes of the triggers there are
    choosing   what is to come of an event: by workflow, the first of its triggers that the event is for
    starting   the runs and firings of what was chosen, in the transaction that marks the events as handled
    router     takes events that wait, round after round: one in every worker (`matchers` keeps its compiled triggers)

An expression sees `payload` and `event` (id, name, depth, createdAt, payload). Where the event is a call of an inbound
webhook, `payload` is the body, and `headers` and `query` stand beside it.

| of the trigger | left out |
|---|---|
| `filter` | every event of the name |
| `condition` | every event that the filter lets through |
| `input` | the run's input is the payload |
| `parameters` | the run has none |

A workflow over entities runs over those that its input names: `entityId`, or `entityIds`, also `documentId` and `documentIds`.

Payloads come from strangers. An expression that fails on one is a `MatchingError` with a reason for people; nothing else is
ever raised, and what an expression may cost is bounded by `weft.kit.cel`.
"""

"""What starts runs by itself.

    events/      triggers that listen to events: how one matches (pure), and the router that starts what matches
    webhooks/    inbound webhooks: how calls are signed, one file per scheme (pure); a genuine call is stored as an event
    schedules/   cron times in a time zone (pure), and the scheduler that starts what is due

Router and scheduler run in every worker, beside the dispatcher, and share the work through rows that only one of them gets
(`FOR UPDATE SKIP LOCKED`). What is promised rests on one transaction: the event is marked as handled, or the schedule moved to
its next slot, in the same transaction that stores the runs that come of it. A process that dies in between has done nothing.

Every firing is on record with what came of it (`domain.trigger.Firing`). A unique key over workflow and event, and over schedule
and slot, would refuse a second run for the same cause even if all else were wrong.
"""

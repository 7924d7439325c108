"""Deliveries: outgoing messages, sent until they arrive or are given up.

    steps ─ effect ─► recorder ─ same transaction as the result ─► delivery, PENDING
                                                                      │ due
    sender      claims what is due, fairly between receivers          ▼
    attempts    one attempt: the integration opened, the message sent, the answer judged
    patience    pure: whether and when there is another attempt
    sender      writes the outcome, fenced by the token of its claim

Those of runs with a webhook are made beside the runs, which know nothing of it:

    run_news     compares the state of such runs with what was told last, and makes the next message ─► delivery, PENDING
    run_message  pure: the message

One `DeliverySender` and one `RunTeller` run in every worker. Any number of them share the work. Each looks for it every second,
and at once when a run has ended in its own process (`waking`).

## What is promised

- A message of a recorded step is sent, whatever crashes: its delivery is part of the step's record.
- A receiver that fails or hangs costs the messages to others no time. At most `PER_LANE` messages are under way to one
  receiver from one worker; one that asks for time (`Retry-After`) gets it for all of its messages.
- A message that was refused for good, or too often, is FAILED and says why; it can be sent again.
- Every attempt is in the log, with the answer's status, its beginning, and its time; also one whose worker vanished.
- What is told of a run arrives in the order of its revisions: there is one message at a time, and the next one waits until
  it has arrived or was given up. Progress is told once a second at most, and only the newest. The end is always told:
  where an earlier message waits for a receiver that is away, the end takes its place (SUPERSEDED), at once for progress,
  after `run_webhooks.PATIENCE` for the beginning. A run that ended before it began, or has no items, is told of by its end.
  Once a message was given up, only the end is told.

## What is not promised

- That a message arrives once: between the receiver's answer and its record lies a small window, in which a crash repeats
  it, and an answer that is lost on the way looks like none. The delivery's id goes along, the same at every attempt
  (`webhook-id`, `Idempotency-Key`, `Message-ID`): receivers know a repetition by it.
- An order between the messages of steps.
"""

from weft.engine.deliveries.attempts import Attempts
from weft.engine.deliveries.run_news import RunTeller
from weft.engine.deliveries.sender import DeliverySender
from weft.engine.deliveries.waking import WakingPublisher

__all__ = ["Attempts", "DeliverySender", "RunTeller", "WakingPublisher"]

"""The words of Weft and their rules: frozen dataclasses, pure functions, the error tree.

Nothing here does input or output. Every other package speaks in these words, and a word means one thing in code, SQL,
GraphQL, logs and documentation alike.

- `ids`: identifiers, sortable by time.
- `errors`: everything a caller can be told, as one tree.
- `access`: roles, and who is asking (the viewer).
- `entity`, `imports`: records of a type, and how many of them come in at once.
- `definition`, `workflow`, `template`: what people edit; a version of it never changes.
- `step`: the contract that every step type fulfils.
- `integration`, `delivery`: outside systems that messages go to, and each message with its attempts.
- `events`, `event_types`, `trigger`: what happened, what is known of it by its name, and what starts runs by itself.
- `run`, `progress`: a version over a frozen selection of entities, and its exact counters.
"""

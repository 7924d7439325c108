"""What `weft demo` shows: a workflow over real records, done as a web page would do it.

The records are the airports of the package vega-datasets, 3,376 rows of a register of the United States as they were
published: with "NA" for what nobody knew, codes that are none, names that name nothing, and airports elsewhere.

| file | |
|---|---|
| `airports.py` | the records, and how they are repeated |
| `entity_type.json`, `workflow.json` | what is made of them: the type, and the workflow of ten steps with its four branches |
| `client.py` | GraphQL over HTTP and over `graphql-transport-ws`, and the upload of a file |
| `documents.py` | the GraphQL operations |
| `story.py` | the order of things: type, import, workflow, run, failures, results |
| `display.py`, `pictures.py` | how it looks: live in a terminal, as a few lines elsewhere |

Nothing here reaches behind the public API: what the demo does, any program with an API key can do. Records that fail are
expected; the demo itself fails when the run does not end, or not with every record accounted for.
"""

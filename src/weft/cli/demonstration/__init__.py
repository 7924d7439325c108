"""What `weft demo` shows: workflows over real entities, done as a web page would do it.

| file | |
|---|---|
| `airports/` | records: an import, and a workflow with four branches over them |
| `invoices/` | documents: uploads, and a workflow that reads them and stores what they say |
| `client.py` | GraphQL over HTTP and over `graphql-transport-ws`, and the upload of a file |
| `operations.py`, `runs.py` | what every demo does with its run |
| `display.py`, `pictures.py` | how it looks: live in a terminal, as a few lines elsewhere |

Nothing here reaches behind the public API: what the demo does, any program with an API key can do. Items that fail are
expected; the demo itself fails when the run does not end, or not with every item accounted for.
"""

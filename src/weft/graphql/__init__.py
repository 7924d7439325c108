"""The GraphQL surface: it translates between clients and operations, and decides nothing.

## How a noun is written

One file per noun: its types, inputs, queries, mutations, subscriptions. `keys.py` is the example to follow.

**Types are views.** A GraphQL type has the name of the domain class it shows and no state of its own. A field that only
names an attribute is an annotation; a computed field is a static method that takes the parent. A resolver returns the
domain object and says so in its own annotation; `graphql_type` says what clients see.

    @strawberry.type(description="…")
    class ApiKey(Node):                                       # shows weft.domain.access.ApiKey
        name: str
        created_at: datetime

        @strawberry.field(description="…")
        @staticmethod
        def expired(parent: strawberry.Parent[access.ApiKey]) -> bool: …

        @classmethod
        async def find(cls, info: Info, key: str) -> access.ApiKey | None: …     # what `node(id)` calls

    @strawberry.type
    class KeyQuery:
        @strawberry.field(graphql_type=Connection[ApiKey], description="…")
        async def api_keys(self, info: Info, first: int = 20, after: str | None = None) -> Page[access.ApiKey]:
            return await keys.list_keys(info.context.services, info.context.viewer, read_page(first, after))

A field hides a module of the same name from the annotations below it in the class: import that module under another name
(`from weft.domain import entity as domain`).

A field that needs its parent alone (an attribute, or a method of the parent and nothing else) is **plain**: it is read
directly, twenty times cheaper than one that asks for `info` (`plain_fields.py`). In types that come in lists of hundreds,
prefer plain fields, and `context.load_then` for what all rows share.

`schema.py` merges the `…Query`, `…Mutation` and `…Subscription` classes of all nouns.

**Types that refer to each other** across files use `lazy("Run", "weft.graphql.runs")` from `nodes.py` inside
`graphql_type`, so that no two files import each other: `Connection[lazy(…)]`, `Optional[lazy(…)]`, `list[lazy(…)]`.

**Ids** are opaque outside and UUIDs inside. An id that comes in is read by `read_id(input.workflow_id, "Workflow",
"workflowId")`: type name expected, then the path to the input field, for the error.

Only nodes have a field `id`: caches of clients take two objects of a type with the same `id` for one. What else has a name of its
own says so: `stepId`.

**Everything is described**: each type, field, argument, input field and enum value, beside it, in a sentence that says what
its name does not: the unit, the bounds, when it is null. What recurs (`first`, `createdAt`, `errors` of payloads, the fields of an
input that set those of a type) has its words in `wording.py`, an enum's values in the docstring of the domain's class.

**Mutations** are made by `@mutation(SomePayload)`. The resolver takes one `input` and returns
`Answer(workflow=…)`, whose keywords are the payload's fields. Whatever it raises as a `CallerError` becomes
`errors: [UserError!]!`, each path prefixed with `input`, and the other fields null, so they must be nullable.

**Neighbours of many objects** are loaded with `info.context.load(operation, key)`: keys asked for in the same turn of the
event loop become one call of `async def operation(services, viewer, keys) -> Sequence[value | None]`, in the keys' order.
Loaders live for one request, and in a subscription for one event.

**Subscriptions** are `@strawberry.subscription(graphql_type=…)` over an async generator of domain objects. It must let go of
what it holds when it is closed (`async with`, `try/finally`).

## What holds for every noun

- Every root field needs a viewer. `schema.py` wraps the field functions themselves, so a new field cannot forget it; a
  test walks the finished schema and calls each of them without one. Roles are checked by the operations.
- `CallerError` in a mutation is data. In queries and subscriptions it is a top-level error with `extensions.code`, `path` and
  `hint`. `AccessError` is always a top-level error. What nobody expected is logged with its stack and shown as `INTERNAL`
  with a request id (`errors.py`).
- Limits on depth, aliases, tokens, length, cost and pages are validation rules, built once (`limits.py`). Cost counts what a
  connection may return (`first`), so give each list argument a bound. Answers to queries and mutations tell it
  (`extensions.cost`).
- Over HTTP, the rules of "GraphQL over HTTP" (`accepting.py`, `requests.py`, `http_answers.py`). A server may be told to
  carry out only operations that it was given (`trusted.py`).
- Enums are the domain's own, registered in `scalars.py`; datetimes, durations, decimals and JSON are mapped there too.
"""

# Before any noun: strawberry looks at annotations while it reads a class, and has to find the enums registered by then.
from weft.graphql import scalars

__all__ = ["scalars"]

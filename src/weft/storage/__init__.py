"""PostgreSQL: the truth.

- `database`: the engine, transactions, COPY.
- `tables`: every table, as SQLAlchemy Core; there are no relationships and no lazy loads.
- One file of named queries per noun. A query takes a connection and returns domain objects; it opens no transaction.

Rules: the workspace is in the WHERE of every query that a caller can reach. A WHERE clause is the check: claim, finish,
cancel are single conditional statements, and no row is an answer, not an error. Values are bound, never formatted in.
Only `public_workflows` lets a query see what is of another workspace: workflows that are public and ACTIVE.
"""

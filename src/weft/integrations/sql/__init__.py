"""Databases of others: reached behind the address guard, looked at, written into.

| file | duty |
|---|---|
| `target` | what a database is reached by |
| `folders` | which SQLite files may be opened |
| `doors` | one guarded connection, per kind of database |
| `pools` | connections kept open, bounded in number and age |
| `reflection` | the columns and keys of a table |
| `creation` | a new table |
| `values` | JSON values as a column takes them, or why it does not |
| `marks` | which rows were written before: the table `weft_stored` |
| `postgres`, `statements` | how rows get in: as one JSON text into PostgreSQL, by statements elsewhere |
| `writing` | one transaction around rows and marks; bad rows found by halving |
| `errors` | what an error of the driver means for the rows |
| `databases` | the way in, for whoever holds a `Target` |

**Every row once.** An upsert may be repeated. For an insert, the rows and their marks are written in one transaction: after
a crash a row is found marked and left out. Marks are bits: one row of `weft_stored` stands for 256 neighbouring items of a
run, so they cost next to nothing beside the rows.

**One bad row costs no other.** Rows go in together, within a savepoint. When the database refuses them they are halved until
the bad ones stand alone: with one bad row among 1,000 that is some 20 statements.

Not promised: an order between upserts of the same key from different micro-batches. Within one, the last wins.
"""

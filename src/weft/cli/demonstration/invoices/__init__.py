"""Documents: invoices as PDF, uploaded, read without a model, checked, and stored into a table.

They are written here, since real invoices are nobody's to give away: four layouts and five languages, and every twelfth one
spoilt as papers are: torn, locked, scanned, without a number, with a sum that does not add up. What each of them says is
known, so the demo can tell how many values were read right. Files of your own are read the same way.

| file | |
|---|---|
| `facts.py` | what the invoices say: who to whom, for what, how much |
| `layouts.py` | how they look |
| `paper.py` | from facts to files, and what spoils them |
| `operations.py`, `story.py` | the GraphQL operations, and their order |
"""

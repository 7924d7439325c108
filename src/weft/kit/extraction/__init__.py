"""Values out of documents by rules: no model, no network, the same answer every time.

    document     pages of lines of cells, each with its place in the page's text; tables and attachments beside them
    look         one document with one rule set: labels, values of each kind, found once per page
    gathering    the rules of each field give candidates: a value, where it stands, how sure it is
      beside       values beside a label             spelled    values that a pattern describes
      sections     the text below a heading          rows       tables (`grids`) and single columns
    checks       what has to hold between values: sums, the order of dates
    candidates   which candidate is believed, and how much doubt the others raise
    shaping      values in the shape of a JSON Schema; what does not fit is left out
    leaves       the single values that a schema asks for, and rules made of nothing but their names
    locating     where the values stand that a model gave
    values/      what dates, amounts, phone numbers look like; sets/: the built-in rule sets

    extraction = extract(read_document(parsed), rule_set, Shaper(rule_set.schema))
    extraction.values, extraction.fields["total"].found, extraction.missing, extraction.confidence

## What holds

- **A wrong value that looks sure is the worst outcome.** A rule's confidence is what it is worth alone. Several places with
  the same value raise it, a rival value lowers it, a check that holds raises it, one that fails lowers it. It never
  reaches 1: only values that the document carries as data (an attachment) are certain.
- **Every value says where it was found**: page, first and last character in the text of that page, the text, the rule.
- **Everything is bounded**: the document (`document`), the rules (`rules`), the candidates, XML (`xml_tree`). Patterns are RE2. A page takes
  5 to 15 ms with the invoice set, so whoever has a loop to keep alive works in a thread.

## How a rule set is written

`sets/<name>.json` holds `schema` (the JSON Schema of the values), `fields`, `decoys` and `checks`. A field's key is its path in
the schema (`number`, `issuer.name`); `rules` describes every attribute:

    "fields": {
      "startDate": {"type": "date", "rules": [
        {"kind": "label", "labels": ["start date", "beginn"], "where": ["RIGHT", "BELOW"], "confidence": 0.9},
        {"kind": "pattern", "pattern": "effective as of (?P<value>.{6,25})", "confidence": 0.8},
        {"kind": "finder", "finder": "first_date", "confidence": 0.5}
      ]},
      "skills": {"many": true, "rules": [{"kind": "section", "headings": ["skills"], "separators": ",;"}]},
      "lines": {"type": "rows", "columns": {"amount": {"type": "amount", "headers": ["amount", "betrag"]}, …}}
    },
    "decoys": ["date of birth"],
    "checks": [{"kind": "order", "fields": ["startDate", "endDate"]}]

- `type` decides how a value is read: `text` takes what stands there, `choice` one of `choices`, the others are recognised
  (`readings.READ`). With `many` all candidates become a list, in the order of the document.
- **label**: labels are compared without case, accents, dots, hyphens; the longest label of the whole set wins at a place, so a
  label of one field protects another: `due date` hides `date`. `decoys` are labels that belong to no field. A label begins a line or
  column or is followed by a colon, unless `anywhere`. `pattern` trims a text value: it has to fit from the value's first character.
- **pattern**: group `value`, else the first group, else all. Of a kind that is recognised, the first such value inside it.
- **section**: from a heading that stands alone (or with a colon) to the next heading of any field's section, or one of `until`.
- **column**, and `columns` of a field of rows: below their headers. A row needs two filled columns, one of numbers.
- **finder**: a function of `sets/<name>.py`, for what no rule can say: `(document, readings) -> Iterable[Candidate]`, its confidence
  multiplied by the rule's. For a field of rows each candidate's value is the whole list of rows, and `extra["cells"]` may hold
  for each row where each column was found.
- A **reviewer** `(document, candidates) -> None`, also of that module, changes order and confidence of `candidates[path]` (best
  first) by what it knows of several fields.

The module offers `made(text) -> RuleSet`, which joins its functions to the file (`rule_set(text, finders=…, reviewers=…)`), and
stands in the table of `sets/__init__.py`.
"""

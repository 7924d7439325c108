"""Values in running text: what looks like a date, an amount, a phone number, and what it says in one normal spelling.

Each module has `find(text, …) -> list[FoundValue]`: every value of its kind, in the order of the text, none overlapping another of
the same kind. They look at the text alone; what a value is *for* (the due date, the total) is for rules beside labels to say.

- `dates` ISO dates; `ranges` months and days from and to; `durations` ISO 8601 durations
- `amounts` numbers with the currency that stands beside them; `percentages`
- `phones` E.164, `mails`, `urls`, `ibans` and `vat_ids` with their check digits
- `persons`, `places` (countries) and `languages`: by words and shape, so with little confidence

**Confidence** is how sure the reading is, not how much the value matters: 1 is "it cannot mean anything else". A value that has two
readings (03/04/2024, 1,234) has less than 0.6, and names the other one in `extra["alternative"]`, unless a hint or the rest of the
text decides.

**Any text is fit**: nothing raises, time grows with the length alone (RE2 with bounded repetition, windows of fixed size around what it
found), and what stands behind `text.LONGEST` characters is not read.
"""

"""Documents of many formats, as text, pages, tables, attachments and metadata.

`reading.read` takes the bytes and gives a `Parsed`, or raises a `DocumentError` with a code. Which format it is decide the
bytes; a name only tells text formats apart. One module reads one format (or one family), and is loaded when the first
document of it comes: this package itself imports nothing.

Documents come from strangers. What keeps them from harm:

- `Limits` bound what is read and what is given. What is beyond is left out, and `truncated` says so.
- An Office file is unpacked once by our own hand, counting, before a library unpacks it: `office`.
- Trees are walked without recursion, entities are never resolved, nothing is fetched.

What is left, an endless loop or a burst of memory inside a library, is not caught here: whoever reads documents of
strangers does so in a process with limits, as the sandbox is.

Text reads alike in every format: lines end with a line feed, and columns of one line are two or more spaces apart.
"""

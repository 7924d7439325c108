"""What a file is, by its content.

`content_type` looks into the file and asks no name. A name only tells texts apart that look alike: `with_name` makes CSV or
Markdown of what is plain text by its content, and nothing of anything else.

| content | looked at by |
|---|---|
| PDF, RTF, PostScript | how it begins |
| ZIP: Word, Excel, PowerPoint, OpenDocument, EPUB | `packages`: what the archive says of itself |
| OLE: the older Office formats, Outlook messages, encrypted Office files | `packages`: the names in its directory |
| HTML, XML, SVG, JSON, JSON lines, mail, plain text | `texts` |
| images, sound, archives and many others | puremagic |
"""

from weft.kit.mime.detection import OCTETS, PLAIN, content_type, with_name

__all__ = ["OCTETS", "PLAIN", "content_type", "with_name"]

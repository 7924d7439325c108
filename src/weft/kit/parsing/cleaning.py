"""Text as documents hold it, without what nobody can see or store."""

import re

_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f\u00a0\u00ad\u2000-\u200b\u2028\u2029\u202f\ud800-\udfff\ufeff\ufffe\uffff]")

_BECOMES = {
    "\r": "\n",
    "\x0b": "\n",  # a line break within a paragraph
    "\x0c": "\n",
    "\x02": "-",  # the hyphen at the end of a line, as pdfium gives it
    "\ufffe": "-",  # the same in older files
    "\u00a0": " ",
    "\u202f": " ",
    "\u2028": "\n",
    "\u2029": "\n",
}
_SPACES = re.compile("[\u2000-\u200a]")


def clean(text: str) -> str:
    """Line breaks are line feeds, spaces of every width are spaces; control characters and halves of characters are gone."""
    text = text.replace("\r\n", "\n")
    if text.replace("\n", "").isprintable():  # costs a quarter of looking for what is odd, and is the usual case
        return text
    return _ODD.sub(_replaced, text)


def _replaced(match: re.Match[str]) -> str:
    odd = match[0]
    return " " if _SPACES.match(odd) else _BECOMES.get(odd, "")

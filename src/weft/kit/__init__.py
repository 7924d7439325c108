"""Tools without a Weft word inside: they could serve any program, and know nothing of this one."""

"""How a caller is known: API keys.

A key is `weft_` and 256 random bits, shown once, when it is made. What is stored is a keyed hash of it (HMAC-SHA256 under
the server's secret key), so a stolen table opens nothing, not even for somebody who can guess keys offline. The random
part is long enough that a slow password hash would only cost time on every request.

The first characters are stored as well, to recognise a key by. Roles and expiry belong to the stored key, not to its text.
"""

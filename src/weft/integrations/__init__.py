"""The outside world, as far as workflows may reach it.

`http` sends requests for steps and deliveries. Where a request goes is written by strangers, so every connection passes
the address guard: by default only public addresses are reached, and an administrator may allow more.

- **The guard stands at the socket.** The address is checked when the socket is made, after the name was resolved and
  right before it connects. A name that resolves to another address the second time (DNS rebinding), an odd spelling of
  an address, and a redirect all end there.
- **Hops are walked one by one.** Each redirect is a request of its own, with its URL checked again; headers that may hold
  secrets do not follow to another origin.
- **No environment.** Proxies, netrc and cookies are not used: nothing but the arguments decides what is sent.
- **Everything is bounded**: the time of the whole exchange, the bytes of the body after decompression, the number of
  redirects and of connections.

Messages of deliveries go out by `slack`, `webhook` (signed as Standard Webhooks) and `mail` (the operator's SMTP server, so
no address guard). Each makes one attempt and judges the answer: it arrived, is worth another attempt, or is refused for
good; what they quote of an answer holds no secret that was sent (`messages`). `http_answers` reads answers for all.

Uploaded files lie in an `object_store`: a folder (`local_folder`) or a bucket (`s3_bucket`, with copies in a `file_cache`). What
is coming in, or is a copy, is a temporary file of a `spool`, which no killed process leaves for good.

Models are asked through `models`, whose libraries are loaded with the first call, and databases of others are written into
through `sql`; both behind the same guard.

`addresses` holds the rule itself, pure: which addresses are public, and what the administrator allowed.

Not promised: that a public address is friendly, and that a host the administrator allowed resolves to what he had in
mind. An allowed host is not checked further.
"""

"""Calls of models, through the providers that workspaces have configured.

- **One call**, `clients`: it waits for its turn, asks the model, and where JSON was wanted checks the answer against the schema
  and asks again with what is wrong, as often as the request allows. Whatever was paid is told, also where the call fails.
- **The libraries** (pydantic-ai, the clients of OpenAI and Anthropic, prices) are named in `library` alone, which is imported
  when the first model is asked: they take two seconds and 100 MB, which a worker without models never pays. They come with
  the extra `models`. Their own retries are off: attempts are counted by the engine.
- **The way out** is our own HTTP client (`transport`), so the address guard stands before every connection, redirects are not
  followed, answers are bounded, and a cancelled call closes its exchange.
- **Limits** (`gate`) hold for all workers together: requests and tokens per minute, calls at once, and the pause that a
  provider asked for. They are counted in Redis, by `rates`. A call waits for its turn in line; it fails only when that
  takes longer than `gate.LONGEST_WAIT`.

While Redis is away each worker keeps the limits on its own: together they may ask for more than was configured, for as
long as that lasts. Not promised either: that tokens per minute hold to the token. What a call will take is estimated before
and corrected after it, so the limit is right over minutes.
"""

"""HTTP beside GraphQL: whether the process is well, files that stream in, and what holds for every request.

Like `graphql`, it translates and decides nothing. Middleware here is plain ASGI: it sees websockets and streams as well,
and copies no body.

- `files`, `uploads`, `downloads`: files of imports, files of documents, and those out again. A link is the credential.
- `webhooks`: calls of other services that start runs. Their signature is the credential.
- `health`: `/healthz` (the process answers) and `/readyz` (it can work: Postgres, Redis and the migrations).
- `request_id`: a name for every request, in its response, its log lines and its errors.
- `body_limit`: no request body larger than what is allowed, whatever its headers say.
- `server`: how the process ends, and what its clients are told.
- `sockets`, `frames`, `peers`: below ASGI, uvicorn's protocols. What holds for every websocket; frames written at once;
  clients of open responses that are gone without a word.
"""

// graphql-sse over a connection that is lost: `Last-Event-ID` says where it goes on, and its operation asks for no cursors.

import { createClient } from "graphql-sse";
import { resumingFetch } from "./resuming-fetch.mjs";
import { EVENTS_WITHOUT_CURSORS, authorization, named, run, soon, tell, url } from "./weft.mjs";

let connections = 0;
const events = [];
const client = createClient({
  url,
  headers: { Authorization: authorization },
  fetchFn: resumingFetch(), // one for each subscription
  retryAttempts: 500,
  retry: soon,
  on: { connected: () => (connections += 1) },
});

for await (const { data } of client.iterate({ query: EVENTS_WITHOUT_CURSORS, variables: { run } })) {
  events.push(named(data.runEvents));
}
tell({ connections, events });

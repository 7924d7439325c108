// graphql-ws over a connection that is lost: it subscribes again with the same payload, whose `after` is read anew each time.

import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { EVENTS, authorization, named, run, soon, tell, websocketUrl } from "./weft.mjs";

let connections = 0;
let after = null;
const events = [];
const client = createClient({
  url: websocketUrl,
  webSocketImpl: WebSocket,
  connectionParams: { Authorization: authorization },
  retryAttempts: 500,
  retryWait: soon,
  shouldRetry: () => true,
  on: { connected: () => (connections += 1) },
});
const variables = {
  run,
  get after() {
    return after;
  },
};

for await (const { data } of client.iterate({ query: EVENTS, variables })) {
  after = data.runEvents.cursor;
  events.push(named(data.runEvents));
}
await client.dispose();
tell({ connections, events });

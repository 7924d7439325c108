// The example of `web/examples`: its pauses, streams of events over a server that is killed, and a key that asks too fast.

import WebSocket from "ws";
import { EVENTS, PROGRESS, key, named, run, tell, websocketUrl } from "./weft.mjs";

const { connect, pause, timing, watch } = await import(process.env.LIVE_EXAMPLE);

const pauses = [0, 1, 20].map((attempt) => Array.from({ length: 500 }, () => Math.round(pause(attempt))));

Object.assign(timing, { slot: 100, longest: 500 });
let connections = 0;
const client = connect({ url: websocketUrl, key: () => key, webSocketImpl: WebSocket });
client.on("connected", () => (connections += 1));

/** All that a subscription tells until it is complete. */
function told(client, subscription) {
  return new Promise((resolve, reject) => {
    const events = [];
    watch(client, {
      variables: { run },
      next: (data) => events.push(data),
      error: reject,
      complete: () => resolve(events),
      ...subscription,
    });
  });
}

const events = await told(client, { query: EVENTS, resume: ({ runEvents }) => ({ after: runEvents.cursor }) });

const slow = connect({ url: process.env.SLOW_URL, key: process.env.SLOW_KEY, webSocketImpl: WebSocket });
let refused = 0;
slow.on("message", ({ type }) => (refused += type === "error" ? 1 : 0));
const states = await Promise.all(Array.from({ length: 15 }, () => told(slow, { query: PROGRESS })));

const wrong = connect({ url: websocketUrl, key: "weft_wrong", webSocketImpl: WebSocket });
const fatal = await told(wrong, { query: PROGRESS }).catch(({ code, reason }) => ({ code, reason }));

for (const each of [client, slow, wrong]) await each.dispose();
tell({
  pauses,
  connections,
  events: events.map(({ runEvents }) => named(runEvents)),
  refused,
  ends: states.map((told) => told.at(-1).runProgress.status),
  fatal,
});

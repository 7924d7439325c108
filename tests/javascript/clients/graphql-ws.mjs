// graphql-ws, lazy and eager, as its recipes set it up for Node.

import { createClient } from "graphql-ws";
import WebSocket from "ws";
import {
  NONSENSE, NO_RUN, PROGRESS, REFUSED, START, WHO, authorization, codes, everything, mistake, tell, websocketUrl,
} from "./weft.mjs";

function watched(options) {
  const happened = [];
  const noted = (name) => () => happened.push(name);
  const client = createClient({
    url: websocketUrl,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: authorization },
    on: { opened: noted("opened"), connected: noted("connected"), closed: noted("closed") },
    ...options,
  });
  return { client, happened };
}

/** All that the operation answers: results, then errors or a close event where it ended with one. */
function answers(client, query, variables) {
  return new Promise((resolve) => {
    const results = [];
    client.subscribe({ query, variables }, {
      next: (result) => results.push(result),
      error: (error) => resolve({ results, error }),
      complete: () => resolve({ results }),
    });
  });
}

async function lazy() {
  const { client, happened } = watched({});
  const before = [...happened];
  const closed = new Promise((resolve) => client.on("closed", resolve));
  const who = await answers(client, WHO);
  await closed;
  const alone = [...happened];
  const nonsense = await answers(client, NONSENSE);
  const refused = await answers(client, REFUSED);
  const noRun = await answers(client, NO_RUN);
  const mistaken = await answers(client, START, { input: mistake });
  const started = await answers(client, START, { input: everything });
  const run = started.results[0].data.runWorkflow.run.id;
  const progress = await answers(client, PROGRESS, { run });
  return {
    before,
    alone,
    who: who.results[0].data,
    nonsense: codes(nonsense.error),
    refused: codes(refused.results[0].errors),
    noRun: codes(noRun.error),
    mistaken: mistaken.results[0].data.runWorkflow.errors.map((error) => error.path),
    progress: progress.results.map((result) => result.data.runProgress),
  };
}

async function eager() {
  const pings = { ours: 0, answered: 0, theirs: 0 };
  let bothWays;
  const done = new Promise((resolve) => (bothWays = resolve));
  const look = () => pings.answered > 1 && pings.theirs && bothWays();
  const { client, happened } = watched({ lazy: false, keepAlive: 100 });
  client.on("opened", (socket) => socket.on("ping", () => (pings.theirs += 1, look())));
  client.on("ping", (received) => (pings.ours += !received));
  client.on("pong", (received) => (pings.answered += received, look()));
  await new Promise((resolve) => client.on("connected", resolve));
  await done;
  const before = [...happened];
  const who = await answers(client, WHO);
  const after = [...happened];
  await client.dispose();
  return { before, who: who.results[0].data, after, pings };
}

/** graphql-ws takes 4403 for something that may change and tries five times more, unless it is told otherwise. */
async function refused() {
  const { client, happened } = watched({
    connectionParams: { Authorization: "Bearer weft_wrong" },
    shouldRetry: (event) => event.code !== 4403,
  });
  const { error } = await answers(client, WHO);
  return { code: error.code, reason: error.reason, happened };
}

const [lazily, eagerly, wrong] = await Promise.all([lazy(), eager(), refused()]);
tell({ lazily, eagerly, wrong });

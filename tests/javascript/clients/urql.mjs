// urql, as its documentation sets up subscriptions: with graphql-ws, and by its own fetch exchange (event streams).

import { Client, cacheExchange, fetchExchange, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import {
  NONSENSE, NO_RUN, PROGRESS, REFUSED, START, WHO, authorization, codes, everything, mistake, tell, url, websocketUrl,
} from "./weft.mjs";

const websocket = createClient({
  url: websocketUrl,
  webSocketImpl: WebSocket,
  connectionParams: { Authorization: authorization },
});
const overWebsockets = subscriptionExchange({
  forwardSubscription(request) {
    const input = { ...request, query: request.query || "" };
    return { subscribe: (sink) => ({ unsubscribe: websocket.subscribe(input, sink) }) };
  },
});
const fetchOptions = () => ({ headers: { authorization } });

function refusal({ error }) {
  return codes(error.graphQLErrors);
}

/** Until a result tells that none follows: of the subscription, or of the run. */
function watched(client, query, variables) {
  return new Promise((resolve) => {
    const states = [];
    const { unsubscribe } = client.subscription(query, variables).subscribe((result) => {
      if (result.error) {
        resolve(refusal(result));
      } else if (result.hasNext) {
        states.push(result.data.runProgress);
      }
      if (!result.hasNext || result.data?.runProgress.status === "COMPLETED") {
        resolve(states);
        setTimeout(() => unsubscribe());
      }
    });
  });
}

async function tried(client) {
  const who = await client.query(WHO, {});
  const mistaken = await client.mutation(START, { input: mistake });
  const started = await client.mutation(START, { input: everything });
  return {
    who: who.data,
    nonsense: refusal(await client.query(NONSENSE, {})),
    refused: refusal(await client.query(REFUSED, {})),
    noRun: await watched(client, NO_RUN, {}),
    mistaken: mistaken.data.runWorkflow.errors.map((error) => error.path),
    progress: await watched(client, PROGRESS, { run: started.data.runWorkflow.run.id }),
  };
}

const split = new Client({ url, fetchOptions, exchanges: [cacheExchange, fetchExchange, overWebsockets] });
const fetching = new Client({
  url,
  fetchOptions,
  fetchSubscriptions: true,
  exchanges: [cacheExchange, fetchExchange],
});
tell({ split: await tried(split), fetching: await tried(fetching) });
process.exit();

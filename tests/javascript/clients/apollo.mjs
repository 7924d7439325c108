// Apollo Client, as its documentation sets up subscriptions: over a websocket beside HTTP, and over HTTP alone (multipart).

import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import {
  NONSENSE, NO_RUN, PROGRESS, REFUSED, START, WHO, authorization, codes, everything, mistake, tell, url, websocketUrl,
} from "./weft.mjs";

globalThis.WebSocket = WebSocket; // GraphQLWsLink is made for browsers, and knows the class by this name

const overHttp = new HttpLink({ uri: url, headers: { authorization } });
const overWebsockets = new GraphQLWsLink(
  createClient({ url: websocketUrl, connectionParams: { Authorization: authorization } }),
);
const split = ApolloLink.split(
  ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
  overWebsockets,
  overHttp,
);

async function refusal(asked) {
  const { error } = await asked;
  return CombinedGraphQLErrors.is(error) ? codes(error.errors) : String(error);
}

function watched(client, query, variables) {
  return new Promise((resolve, reject) => {
    const states = [];
    client.subscribe({ query: gql(query), variables }).subscribe({
      next: ({ data, error }) => states.push(...(error ? codes(error.errors) : [data.runProgress])),
      complete: () => resolve(states),
      error: reject,
    });
  });
}

async function tried(link) {
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  const query = (text) => client.query({ query: gql(text), errorPolicy: "all" });
  const start = (input) => client.mutate({ mutation: gql(START), variables: { input } });
  const who = await query(WHO);
  const mistaken = await start(mistake);
  const started = await start(everything);
  return {
    who: who.data.viewer.role,
    nonsense: await refusal(query(NONSENSE)),
    refused: await refusal(query(REFUSED)),
    noRun: await watched(client, NO_RUN),
    mistaken: mistaken.data.runWorkflow.errors.map((error) => error.path),
    progress: await watched(client, PROGRESS, { run: started.data.runWorkflow.run.id }),
  };
}

tell({ split: await tried(split), http: await tried(overHttp) });
process.exit();

// How Relay reaches Weft: fetch for queries and mutations, graphql-ws for subscriptions.
import { Environment, Network, Observable, RecordSource, Store } from "relay-runtime";
import type { FetchFunction, GraphQLResponse, SubscribeFunction } from "relay-runtime";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

export function environment(url: string, key: string): { relay: Environment; close: () => void } {
  const authorization = `Bearer ${key}`;
  const fetched: FetchFunction = async (request, variables) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { authorization, "content-type": "application/json", accept: "application/graphql-response+json" },
      body: JSON.stringify({ query: request.text, variables }),
    });
    return (await response.json()) as GraphQLResponse;
  };
  const sockets = createClient({
    url: url.replace(/^http/, "ws"),
    connectionParams: { authorization },
    webSocketImpl: WebSocket, // in a browser it is there already
  });
  const subscribed: SubscribeFunction = (request, variables) =>
    Observable.create((sink) => {
      const operation = { operationName: request.name, query: request.text ?? "", variables };
      return sockets.subscribe(operation, {
        next: (result) => sink.next(result as GraphQLResponse),
        error: (reason) => sink.error(reason instanceof Error ? reason : new Error(JSON.stringify(reason))),
        complete: () => sink.complete(),
      });
    });
  const relay = new Environment({ network: Network.create(fetched, subscribed), store: new Store(new RecordSource()) });
  return { relay, close: () => void sockets.dispose() };
}

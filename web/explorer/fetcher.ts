// How GraphiQL reaches the API: queries and mutations by HTTP, subscriptions by websocket.

import type { Fetcher, Observable } from "@graphiql/toolkit";
import { watch, type Sink } from "./live";
import { isSubscription, settled, type Operation } from "./operation";
import { remember } from "./remembered";
import { askForSchema, INTROSPECTION } from "./schema";
import { post, type Answer, type Written } from "./server";

export const fetcher: Fetcher = (asked, options) => {
  const written = options?.headers as Written | undefined;
  if (asked.operationName === INTROSPECTION) return askForSchema(written);
  const operation = settled(asked as Operation);
  return isSubscription(operation) ? observable(operation, written) : answered(operation, written);
};

// Its type asks for an overload that GraphiQL does not call.
function observable(operation: Operation, written: Written | undefined): Observable<Answer> {
  return { subscribe: (sink: Sink) => watch(operation, written, sink) } as Observable<Answer>;
}

async function answered(operation: Operation, written: Written | undefined): Promise<Answer> {
  const answer = await post(operation, written);
  remember(answer.data);
  return answer;
}

// Where the API is, and one operation over HTTP.

import type { ExecutionResult } from "graphql";
import { authorization } from "./key";
import type { Operation } from "./operation";

// The page lies where the API does, below whatever path.
export const httpUrl = new URL(location.pathname, location.href);
export const socketUrl = new URL(httpUrl);
socketUrl.protocol = httpUrl.protocol === "https:" ? "wss:" : "ws:";

/** The headers that somebody wrote beside an operation. */
export type Written = Readonly<Record<string, string>>;
export type Answer = ExecutionResult<Record<string, unknown>>;

export async function post(operation: Operation, written: Written = {}): Promise<Answer> {
  const headers = new Headers(written); // whatever their case, each is there once
  for (const [name, value] of Object.entries(authorization(written))) headers.set(name, value);
  headers.set("Accept", "application/graphql-response+json, application/json;q=0.9");
  headers.set("Content-Type", "application/json");
  const response = await fetch(httpUrl, { method: "POST", headers, body: JSON.stringify(operation) });
  const text = await response.text();
  try {
    return JSON.parse(text) as Answer;
  } catch {
    throw new Error(`The answer is not of Weft, but ${response.status} ${response.statusText}: ${text.slice(0, 500)}`);
  }
}

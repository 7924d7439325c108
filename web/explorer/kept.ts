// What GraphiQL keeps in the browser: tabs, history, settings. Never the headers of an operation, since a key may stand in them.

import type { Storage } from "@graphiql/toolkit";
import { local } from "./storage";

// Weft may be served below a path, beside others of the same origin.
const PREFIX = `weft${location.pathname}:`;

export const kept: Storage = {
  get length() {
    return ours().length;
  },
  getItem: (name) => local.getItem(PREFIX + name),
  setItem: (name, value) => local.setItem(PREFIX + name, withoutHeaders(value)),
  removeItem: (name) => local.removeItem(PREFIX + name),
  clear: () => ours().forEach((name) => local.removeItem(name)),
};

function ours(): string[] {
  return local.names().filter((name) => name.startsWith(PREFIX));
}

// GraphiQL leaves them out of its tabs, and writes them into its history.
function withoutHeaders(value: string): string {
  if (!value.includes('"headers"')) return value;
  try {
    return JSON.stringify(JSON.parse(value, (name, part: unknown) => (name === "headers" ? undefined : part)));
  } catch {
    return value; // a query as text, not a record
  }
}

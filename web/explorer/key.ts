// The API key: kept as long as this tab of the browser is open, and sent to this server alone.

import { session } from "./storage";
import { Store } from "./store";

const STORED = "weft.apiKey";

export const key = new Store(firstKey());

/** A link may carry a key behind the #, which browsers never send to a server. It is taken, and wiped from the address. */
function firstKey(): string {
  const linked = new URLSearchParams(location.hash.slice(1)).get("key");
  if (linked !== null) {
    session.setItem(STORED, linked);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return session.getItem(STORED) ?? "";
}

export function takeKey(text: string): void {
  session.setItem(STORED, text);
  key.set(text);
}

export function forgetKey(): void {
  session.removeItem(STORED);
  key.set("");
}

/** What a request carries: the header that somebody wrote into the headers of a tab, or else the key. */
export function authorization(headers: Readonly<Record<string, unknown>> = {}): Record<string, string> {
  const written = Object.entries(headers).find(([name]) => name.toLowerCase() === "authorization");
  if (written) return { Authorization: String(written[1]) };
  const text = key.get();
  return text ? { Authorization: `Bearer ${text}` } : {};
}

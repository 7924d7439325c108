// The bar above GraphiQL: the key, whose it is, and how a subscription stands.

import { useEffect, useState, type FormEvent } from "react";
import { forgetKey, key, takeKey } from "./key";
import { live, RETRIES, type Live } from "./live";
import { post } from "./server";
import { useStore } from "./store";

const HINT = "Needed for all but the documentation. make up prints one; an admin makes more with createApiKey.";

interface Who {
  text: string;
  refused: boolean;
}

export function KeyBar() {
  const used = useStore(key);
  const [typed, setTyped] = useState(used);
  const who = useWho(used);
  const take = (event?: FormEvent): void => {
    event?.preventDefault();
    if (typed.trim() !== used) takeKey(typed.trim());
  };
  const forget = (): void => {
    setTyped("");
    forgetKey();
  };
  return (
    <form className="weft-bar" autoComplete="off" onSubmit={take}>
      <label htmlFor="key">API key</label>
      <input
        id="key"
        type="password"
        placeholder="weft_…"
        spellCheck={false}
        autoComplete="off"
        aria-describedby="who"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={() => take()}
      />
      {used !== "" && (
        <button type="button" onClick={forget} title="Take the key out of this tab, and end what it watches">
          Forget
        </button>
      )}
      <output id="who" htmlFor="key" className={who.refused ? "weft-refused" : ""}>
        {who.text}
      </output>
      <LiveStatus />
    </form>
  );
}

function useWho(used: string): Who {
  const [who, setWho] = useState<Who>({ text: HINT, refused: false });
  useEffect(() => {
    let asking = true;
    const say = (text: string, refused = false): void => {
      if (asking) setWho({ text, refused });
    };
    if (used === "") say(HINT);
    else {
      say("");
      whoHas().then(say, (error: Error) => say(error.message, true));
    }
    return () => {
      asking = false;
    };
  }, [used]);
  return who;
}

async function whoHas(): Promise<string> {
  const { data, errors } = await post({ query: "{ viewer { workspace role } }" });
  const viewer = data?.["viewer"] as { workspace: string; role: string } | null | undefined;
  const [refused] = errors ?? [];
  // A server that carries out registered operations only has not looked at the key.
  if (refused?.extensions?.["code"] === "UNTRUSTED_DOCUMENT") return refused.message;
  if (!viewer) throw new Error(refused?.message ?? "The answer is empty.");
  return `${viewer.role} of ${viewer.workspace}`;
}

function LiveStatus() {
  const state = useStore(live);
  return (
    <span id="live" role="status" data-phase={state.phase}>
      {inWords(state)}
    </span>
  );
}

function inWords({ phase, received, attempt }: Live): string {
  const messages = received === 1 ? "1 message" : `${received} messages`;
  switch (phase) {
    case "none":
      return "";
    case "connecting":
      return "Connecting …";
    case "live":
      return `Live · ${messages}`;
    case "retrying":
      return `Connection lost${attempt > 0 ? `, attempt ${attempt} of ${RETRIES}` : ""} · ${messages}`;
    case "over":
      return `Ended · ${messages}`;
    case "broken":
      return `Broken off · ${messages}`;
  }
}

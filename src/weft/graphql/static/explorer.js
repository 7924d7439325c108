// GraphiQL against this server: an API key above it, queries by fetch, subscriptions by graphql-transport-ws.
"use strict";

(() => {
  const STORED_KEY = "weft.apiKey";
  const keyInput = document.getElementById("key");
  const who = document.getElementById("who");
  const httpUrl = new URL(location.pathname, location.href);
  const socketUrl = new URL(httpUrl);
  socketUrl.protocol = httpUrl.protocol === "https:" ? "wss:" : "ws:";

  const WELCOME = `# Give an API key above, then press Ctrl-Enter.
{
  viewer {
    workspace
    role
  }
}
`;

  // A link may carry a key behind the #, which browsers never send to a server. It is taken and wiped from the address.
  function firstKey() {
    const linked = new URLSearchParams(location.hash.slice(1)).get("key");
    if (linked) {
      sessionStorage.setItem(STORED_KEY, linked);
      history.replaceState(null, "", location.pathname + location.search);
    }
    return sessionStorage.getItem(STORED_KEY) || "";
  }

  function authorization(headers) {
    const written = Object.entries(headers || {}).find(([name]) => name.toLowerCase() === "authorization");
    if (written) return { Authorization: String(written[1]) };
    const key = keyInput.value.trim();
    return key ? { Authorization: `Bearer ${key}` } : {};
  }

  async function post(operation, headers) {
    const response = await fetch(httpUrl, {
      method: "POST",
      headers: { ...headers, ...authorization(headers), "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(operation),
    });
    return response.json();
  }

  // By the text that is sent: the parsed one that GraphiQL hands over lags behind quick typing.
  function isSubscription({ query, operationName }) {
    const code = query.replace(/"""[\s\S]*?"""|"(?:\\.|[^"\\])*"|#.*/g, " ");
    let depth = 0;
    let outside = "";
    for (const char of code) {
      if (char === "}") depth -= 1;
      if (depth === 0) outside += char;
      if (char === "{") depth += 1;
    }
    const found = [...outside.matchAll(/\b(query|mutation|subscription)\b\s*([_A-Za-z]\w*)?/g)];
    const chosen = found.find(([, , name]) => !operationName || name === operationName);
    return chosen?.[1] === "subscription";
  }

  // One socket for each subscription: it takes the key of its start, and is gone when the subscription is.
  function subscribe(operation, headers) {
    const client = graphqlWs.createClient({ url: socketUrl.href, connectionParams: authorization(headers) });
    return {
      subscribe(observer) {
        const sink = typeof observer === "function" ? { next: observer } : observer;
        const leave = client.subscribe(operation, {
          next: (result) => sink.next(result),
          error: (error) => sink.error?.(readable(error)),
          complete: () => sink.complete?.(),
        });
        return { unsubscribe: () => { leave(); client.dispose(); } };
      },
    };
  }

  function readable(error) {
    if (error instanceof CloseEvent) {
      const reason = error.code === 4403 ? "The API key is missing or not valid." : error.reason || "The connection closed.";
      return new Error(`${reason} (${error.code})`);
    }
    return error;
  }

  function fetcher(operation, options = {}) {
    return isSubscription(operation)
      ? subscribe(operation, options.headers)
      : post(operation, options.headers);
  }

  async function showWho() {
    who.className = "";
    who.textContent = "";
    if (!keyInput.value.trim()) return;
    try {
      const { data, errors } = await post({ query: "{ viewer { workspace role } }" });
      who.className = errors ? "refused" : "";
      who.textContent = errors ? errors[0].message : `${data.viewer.role} of ${data.viewer.workspace}`;
    } catch (error) {
      who.className = "refused";
      who.textContent = String(error);
    }
  }

  // Links may carry a query to look at: ?share=…&variables=… fill the editors. Nothing runs by itself.
  const shared = new URLSearchParams(location.search);

  keyInput.value = firstKey();
  keyInput.addEventListener("change", () => {
    sessionStorage.setItem(STORED_KEY, keyInput.value.trim());
    showWho();
  });
  document.getElementById("key-bar").addEventListener("submit", (event) => event.preventDefault());
  showWho();

  ReactDOM.render(
    React.createElement(GraphiQL, {
      fetcher,
      defaultQuery: WELCOME,
      query: shared.get("share") ?? undefined,
      variables: shared.get("variables") ?? undefined,
      isHeadersEditorEnabled: true,
      shouldPersistHeaders: false,
      defaultEditorToolsVisibility: true,
    }),
    document.getElementById("explorer"),
  );
})();

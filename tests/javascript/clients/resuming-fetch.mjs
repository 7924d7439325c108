// A `fetch` for event streams that goes on where it was: it keeps the id of the event that was handed out last, and shows it
// as `Last-Event-ID` when it is called again. The reader gets whole events only, so that none is noted and then lost.

export function resumingFetch() {
  let last = null;

  async function* events(body) {
    const decoder = new TextDecoder();
    const encoder = new TextEncoder();
    let text = "";
    for await (const bytes of body) {
      text += decoder.decode(bytes, { stream: true });
      for (let end; (end = text.indexOf("\n\n") + 2) > 1; ) {
        const event = text.slice(0, end);
        text = text.slice(end);
        last = /^id: (.*)$/m.exec(event)?.[1] ?? last;
        yield encoder.encode(event);
      }
    }
  }

  return async (url, options) => {
    const headers = last === null ? options.headers : { ...options.headers, "Last-Event-ID": last };
    const { ok, status, statusText, body } = await fetch(url, { ...options, headers });
    return { ok, status, statusText, body: events(body) };
  };
}

// Server-sent events, read from a stream of text. Pure.

/** Takes text as it comes, gives events that are whole. Comments are no events, but show that somebody is there. */
export class Events {
  #rest = "";

  /**
   * @param {string} text
   * @returns {{event: string, data: string}[]}
   */
  add(text) {
    const blocks = (this.#rest + text).split("\n\n");
    this.#rest = blocks.pop() ?? "";
    return blocks.map(read).filter((each) => each !== null);
  }
}

/** @param {string} block */
function read(block) {
  let event = "message";
  const data = [];
  for (const line of block.split("\n")) {
    const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (name === "event") event = value;
    if (name === "data") data.push(value);
  }
  return data.length ? { event, data: data.join("\n") } : null;
}

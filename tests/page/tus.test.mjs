import assert from "node:assert/strict";
import test from "node:test";
import { Failed, Tus, UPLOADS, failure, metadata, pause } from "../../src/sightline/page/js/home/tus.js";

const PART = 10;
const live = new AbortController().signal;
const problem = (code, detail = "said") => JSON.stringify({ code, detail });

/** A service of uploads in memory. `faults[n]` spoils request n: an answer in the place of its own, or `"cut"`. */
class Fake {
  asked = [];
  uploads = new Map();
  made = 0;
  received = [];

  constructor(faults = {}) {
    this.faults = faults;
    this.transport = this.transport.bind(this);
  }

  async transport(method, url, { headers, body, sent }) {
    const n = this.asked.push([method, headers["Upload-Offset"] ?? ""]) - 1;
    const fault = this.faults[n];
    if (fault === "cut") throw new TypeError("network");
    if (fault) return answer(fault.status, fault.headers, fault.text);
    return this.#answer(method, url, headers, body, sent);
  }

  async #answer(method, url, headers, body, sent) {
    if (method === "POST") {
      this.made += 1;
      const made = `${UPLOADS}/u${this.made}`;
      this.uploads.set(made, { length: Number(headers["Upload-Length"]), bytes: "" });
      return answer(201, { Location: made, "Upload-Offset": "0" });
    }
    const upload = this.uploads.get(url);
    if (!upload) return answer(404, {}, problem("not_found"));
    if (method === "PATCH") {
      if (Number(headers["Upload-Offset"]) !== upload.bytes.length) return answer(409, {}, problem("offset"));
      upload.bytes += await body.text();
      this.received.push(body.size);
      sent(body.size);
    }
    const whole = upload.bytes.length === upload.length;
    return answer(204, { "Upload-Offset": String(upload.bytes.length), ...(whole ? { Location: "/api/v1/jobs/3f0d-1f" } : {}) });
  }
}

const answer = (status, headers = {}, text = "") => ({ status, header: (name) => headers[name] ?? null, text });

function sending(fake, { url = "", on = {} } = {}) {
  const waits = [];
  const file = new Blob(["abcdefghijklmnopqrstuvwxy"]); // 25 bytes: parts of 10, 10 and 5
  const tus = new Tus({ file, about: { filename: "a.mp4" }, transport: fake.transport, wait: async (ms) => waits.push(ms), url, part: PART, on });
  return { tus, waits, file };
}

test("a file goes in parts and is a job after the last one", async () => {
  const fake = new Fake();
  const seen = [];
  const { tus } = sending(fake, { on: { sent: (n) => seen.push(n), created: (url) => seen.push(url) } });

  assert.equal(await tus.run(live), "3f0d-1f");
  assert.deepEqual(fake.asked, [["POST", ""], ["PATCH", "0"], ["PATCH", "10"], ["PATCH", "20"]]);
  assert.deepEqual(seen, [`${UPLOADS}/u1`, 10, 20, 25]);
  assert.equal(fake.uploads.get(`${UPLOADS}/u1`).bytes, "abcdefghijklmnopqrstuvwxy");
});

test("an upload that is known goes on where the service has it", async () => {
  const fake = new Fake();
  fake.uploads.set(`${UPLOADS}/old`, { length: 25, bytes: "abcdefghijklm" });

  assert.equal(await sending(fake, { url: `${UPLOADS}/old` }).tus.run(live), "3f0d-1f");
  assert.deepEqual(fake.asked, [["HEAD", ""], ["PATCH", "13"], ["PATCH", "23"]]);
  assert.equal(fake.uploads.get(`${UPLOADS}/old`).bytes, "abcdefghijklmnopqrstuvwxy");
});

test("a connection that was cut is tried again, from where the service has it", async () => {
  const fake = new Fake({ 2: "cut", 3: "cut" });
  const failed = [];
  const { tus, waits } = sending(fake, { on: { failed: (error) => failed.push(error.code) } });

  assert.equal(await tus.run(live), "3f0d-1f");
  assert.deepEqual(failed, ["away", "away"]);
  assert.ok(waits[0] >= 750 && waits[0] <= 1000 && waits[1] >= 1500 && waits[1] <= 2000, String(waits));
  assert.deepEqual(fake.received, [10, 10, 5]);
});

test("a part that came through without its answer is not sent twice", async () => {
  const fake = new Fake();
  const { tus } = sending({ transport: async (method, url, options) => {
    const answered = await fake.transport(method, url, options);
    if (fake.asked.length === 2) throw new TypeError("cut after the service had it");
    return answered;
  } });

  assert.equal(await tus.run(live), "3f0d-1f");
  assert.deepEqual(fake.received, [10, 10, 5]);
});

test("the job of a last part whose answer was lost is found", async () => {
  const fake = new Fake();
  const { tus } = sending({ transport: async (method, url, options) => {
    const answered = await fake.transport(method, url, options);
    if (fake.asked.length === 4) throw new TypeError("cut after the service had it");
    return answered;
  } });

  assert.equal(await tus.run(live), "3f0d-1f");
  assert.deepEqual(fake.asked.at(-1), ["HEAD", ""]);
});

test("an upload that has expired begins anew", async () => {
  const fake = new Fake();
  let lost = 0;
  const { tus, waits } = sending(fake, { url: `${UPLOADS}/forgotten`, on: { lost: () => (lost += 1) } });

  assert.equal(await tus.run(live), "3f0d-1f");
  assert.deepEqual(fake.asked.map(([method]) => method), ["HEAD", "POST", "PATCH", "PATCH", "PATCH"]);
  assert.deepEqual([lost, waits], [1, [0]]);
});

test("a service that is busy says when to come back", async () => {
  const fake = new Fake({ 1: { status: 429, headers: { "Retry-After": "5" }, text: problem("busy") } });
  const { tus, waits } = sending(fake);

  await tus.run(live);
  assert.deepEqual(waits, [5000]);
});

test("another request that is still at it is waited for", async () => {
  const fake = new Fake({ 1: { status: 409, text: problem("in_progress") } });

  assert.equal(await sending(fake).tus.run(live), "3f0d-1f");
});

for (const [status, code] of [[413, "too_large"], [415, "media_type"], [422, "no_frame"], [403, "forbidden"], [409, "job_removed"]]) {
  test(`${status} ${code} is for good`, async () => {
    const fake = new Fake({ 3: { status, text: problem(code, "why") } });

    await assert.rejects(sending(fake).tus.run(live), (error) => error instanceof Failed && error.code === code && error.message === "why");
    assert.equal(fake.asked.length, 4);
  });
}

test("a file that was changed meanwhile is not tried for ever", async () => {
  const file = { size: 25, slice: () => ({ slice: () => ({ arrayBuffer: async () => { throw new DOMException("changed", "NotReadableError"); } }) }) };
  const tus = new Tus({ file, about: {}, transport: new Fake().transport, wait: async () => {}, part: PART });

  await assert.rejects(tus.run(live), (error) => error.code === "changed_file");
});

test("who gives up is done with it", async () => {
  const stop = new AbortController();
  const tus = sending({ transport: async () => {
    stop.abort();
    throw new DOMException("given up", "AbortError");
  } }).tus;

  await assert.rejects(tus.run(stop.signal), { name: "AbortError" });
});

test("waits double up to half a minute", () => {
  assert.deepEqual([1, 2, 3, 6, 20].map((n) => pause(n, 1)), [1000, 2000, 4000, 30_000, 30_000]);
  assert.equal(pause(1, 0), 750);
});

test("names travel as base64 of UTF-8", () => {
  assert.equal(metadata({ filename: "Müller 道.mp4", name: "" }), `filename ${Buffer.from("Müller 道.mp4").toString("base64")}`);
});

test("an answer without a body says by its status what it is", () => {
  assert.deepEqual([401, 409, 415, 418].map((status) => failure(answer(status)).code), ["unauthorized", "in_progress", "media_type", ""]);
});

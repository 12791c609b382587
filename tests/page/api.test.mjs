import assert from "node:assert/strict";
import test from "node:test";
import { Refused } from "../../src/sightline/page/js/api.js";

test("why an answer is no success: each field at fault, else what was said, else its status", () => {
  const fields = [{ field: "body.lines", detail: "No part of it lies on the picture." }, { field: "body.zones", detail: "Too many." }];

  assert.equal(new Refused(422, { code: "invalid", detail: "body.lines: …", errors: fields }).why, "No part of it lies on the picture. Too many.");
  assert.equal(new Refused(409, { code: "gone", detail: "It was removed." }).why, "It was removed.");
  assert.equal(new Refused(500, {}).why, "The service answered 500.");
});

import assert from "node:assert/strict";
import test from "node:test";

import { humanSize, humanTime, isoDuration, parseDuration, spokenDuration, timeLeft } from "../src/measure.js";

for (const [text, seconds] of [
  ["90", 90],
  ["-1.5", -1.5],
  ["PT1H30M", 5400],
  ["P1DT2H", 93_600],
  ["-PT5S", -5],
  ["P2W", 1_209_600],
  ["1h 30m", 5400],
  ["1 hour, 30 minutes", 5400],
  ["2 days and 1 s", 172_801],
  ["250 ms", 0.25],
  ["1:30", 5400],
  ["1:30:00", 5400],
  ["2 days, 1:00:00", 176_400],
] as const) {
  test(`"${text}" is a duration of ${seconds} s`, () => assert.equal(parseDuration(text), seconds));
}

for (const text of ["", "P", "PT", "soon", "1x", "1:75", "--5", "1h later"]) {
  test(`"${text}" is no duration`, () => assert.equal(parseDuration(text), null));
}

test("a duration is written as ISO 8601 and read back", () => {
  for (const seconds of [0, 1, 59.5, 60, 5400, 86_400, 90_061.000001, -5, 1e9]) {
    assert.equal(parseDuration(isoDuration(seconds)), seconds);
  }
  assert.equal(isoDuration(0), "PT0S");
  assert.equal(isoDuration(5400), "PT1H30M");
  assert.equal(isoDuration(-93_600), "-P1DT2H");
});

test("a duration is said in words", () => {
  assert.equal(spokenDuration(5400), "1 hour 30 minutes");
  assert.equal(spokenDuration(0), "0 seconds");
  assert.equal(spokenDuration(-60), "minus 1 minute");
});

test("sizes and times read as people write them", () => {
  assert.equal(humanSize(0), "0 B");
  assert.equal(humanSize(999), "999 B");
  assert.equal(humanSize(1_234_567), "1.2 MB");
  assert.equal(humanSize(999_999), "1.0 MB");
  assert.equal(humanTime(75), "1 min 15 s");
  assert.equal(humanTime(3700), "1 h 1 min");
  assert.equal(timeLeft(3599), "59 min");
  assert.equal(timeLeft(61), "1 min 1 s");
  assert.equal(timeLeft(-4), "0 s");
});

/** Sizes and times as people read them, and as ISO 8601 has them. */

const UNITS = ["B", "KB", "MB", "GB", "TB", "PB"];

/** 1234567 → "1.2 MB". */
export function humanSize(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || size >= 99.95 ? 0 : 1;
  return `${size.toFixed(digits)} ${UNITS[unit] ?? ""}`;
}

/** 3.2 → "3 s", 75 → "1 min 15 s", 3700 → "1 h 1 min". */
export function humanTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ""}`;
  const minutes = Math.floor((whole % 3600) / 60);
  return `${Math.floor(whole / 3600)} h${minutes ? ` ${minutes} min` : ""}`;
}

/** The time left of a file: minutes, and seconds only when they count. */
export function timeLeft(seconds: number): string {
  return seconds >= 120 ? `${Math.floor(seconds / 60)} min` : humanTime(seconds);
}

const ISO = /^([+-])?P(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i;
const CLOCK = /^([+-])?(?:(\d+)\s*d(?:ays?)?,?\s+)?(\d+):([0-5]?\d)(?::([0-5]?\d(?:\.\d+)?))?$/i;
const WORDS = /(\d+(?:\.\d+)?)\s*(weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s|ms)(?![a-z])/gi;
const SECONDS: Record<string, number> = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1, ms: 0.001 };

/** Seconds of "PT1H30M", "1h 30m", "1:30:00", "2 days" or "90"; null if it is none of these. */
export function parseDuration(given: string): number | null {
  const text = given.trim();
  if (/^[+-]?\d+(\.\d+)?$/.test(text)) return Number(text);
  const iso = ISO.exec(text);
  if (iso && /\d/.test(text)) {
    const [, sign, ...parts] = iso;
    return signed(sign, sum(parts, [604_800, 86_400, 3600, 60, 1]));
  }
  const clock = CLOCK.exec(text);
  if (clock) {
    const [, sign, ...parts] = clock;
    return signed(sign, sum(parts, [86_400, 3600, 60, 1]));
  }
  const sign = /^[+-]/.exec(text)?.[0];
  const words = text.slice(sign?.length ?? 0);
  if (!words || words.replace(WORDS, "").replace(/,|\band\b/gi, "").trim()) return null;
  let seconds = 0;
  for (const [, amount = "", unit = ""] of words.matchAll(WORDS)) {
    const short = unit.toLowerCase() === "ms" ? "ms" : (unit[0] ?? "").toLowerCase();
    seconds += Number(amount) * (SECONDS[short] ?? 0);
  }
  return signed(sign, tidy(seconds));
}

/** Seconds as an ISO 8601 duration. */
export function isoDuration(seconds: number): string {
  const whole = Math.floor(Math.abs(seconds));
  const fraction = tidy(Math.abs(seconds) - whole);
  const days = Math.floor(whole / 86_400);
  const hours = Math.floor((whole % 86_400) / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = tidy((whole % 60) + fraction);
  const time = `${hours ? `${hours}H` : ""}${minutes ? `${minutes}M` : ""}${rest ? `${rest}S` : ""}`;
  const text = `${days ? `${days}D` : ""}${time ? `T${time}` : ""}` || "T0S";
  return `${seconds < 0 ? "-" : ""}P${text}`;
}

/** Seconds in words: 5400 → "1 hour 30 minutes". */
export function spokenDuration(seconds: number): string {
  const parts: string[] = [];
  let rest = tidy(Math.abs(seconds));
  for (const [name, size] of [["day", 86_400], ["hour", 3600], ["minute", 60]] as const) {
    const count = Math.floor(rest / size);
    rest = tidy(rest - count * size);
    if (count) parts.push(`${count} ${name}${count === 1 ? "" : "s"}`);
  }
  if (rest || !parts.length) parts.push(`${rest} second${rest === 1 ? "" : "s"}`);
  return (seconds < 0 ? "minus " : "") + parts.join(" ");
}

/** Python's timedelta counts microseconds; so do we. */
function tidy(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}

function sum(parts: (string | undefined)[], sizes: number[]): number {
  return tidy(parts.reduce((total, part, at) => total + Number(part ?? 0) * (sizes[at] ?? 0), 0));
}

function signed(sign: string | undefined, seconds: number): number {
  return sign === "-" ? -seconds : seconds;
}

/**
 * Refuses what is not an integer from `least` up.
 *
 * @throws TypeError for another type, RangeError for another value.
 */
export function checkCount(name: string, value: unknown, least: number): void {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number`);
  }
  if (value !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(value) || value < least)) {
    throw new RangeError(`${name} must be an integer from ${least} up, not ${value}`);
  }
}

/** Longest time that Node's timers can wait, 24.8 days. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Refuses what is not a time in milliseconds that a timer can wait for.
 *
 * @throws TypeError for another type, RangeError for another value.
 */
export function checkMilliseconds(name: string, value: unknown): void {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number of milliseconds`);
  }
  if (!(value >= 0 && value <= LONGEST_MS)) {
    throw new RangeError(`${name} must be from 0 to ${LONGEST_MS} milliseconds, not ${value}`);
  }
}

/**
 * Refuses what is not one of the texts `choices`.
 *
 * @throws TypeError for another value.
 */
export function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (typeof value !== "string" || !choices.includes(value)) {
    throw new TypeError(`${name} must be one of ${choices.join(", ")}, not ${JSON.stringify(value)}`);
  }
}

/**
 * Refuses what is not a length of time in milliseconds.
 *
 * @throws TypeError for another type, RangeError for another value.
 */
export function checkDuration(name: string, value: unknown): void {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number of milliseconds`);
  }
  if (!(value >= 0)) {
    throw new RangeError(`${name} must be 0 milliseconds or more, not ${value}`);
  }
}

import { TextError } from './scalars.ts';

/** Seconds and nanoseconds of one sign, as Timestamp and Duration hold them. */
export interface Time {
  readonly seconds: number;
  readonly nanos: number;
}

const timestamp =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))$/;
const duration = /^(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s$/;

/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds of Unix time. */
const firstSecond = -62_135_596_800;
const lastSecond = 253_402_300_799;
/** 10,000 years, to which nanoseconds may come. Source: google/protobuf/duration.proto; protobuf's conformance tests. */
const longestDuration = 315_576_000_000;

/** RFC 3339, upper case, as ProtoJSON has it. @throws TextError */
export function parseTimestamp(text: string): Time {
  const match = timestamp.exec(text);
  if (match === null) throw new TextError('a time in RFC 3339 format expected, such as 2026-01-02T03:04:05Z');
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', fraction = ''] = match;
  const [, , , , , , , , sign = '+', offsetHour = '0', offsetMinute = '0'] = match;
  // Date would read the years 0 to 99 as those of the last century.
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const exists = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  const inDay = Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
  if (!exists || !inDay || Number(offsetHour) > 23 || Number(offsetMinute) > 59) {
    throw new TextError('a date and time that exist expected');
  }
  const local = date.getTime() / 1000 + Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * 60;
  const seconds = sign === '-' ? local + offset : local - offset;
  if (!inTimestampRange(seconds)) throw new TextError('a time in the years 0001 to 9999 expected');
  return { seconds, nanos: Number(fraction.padEnd(9, '0')) };
}

/** Decimal seconds and an `s`. @throws TextError */
export function parseDuration(text: string): Time {
  const match = duration.exec(text);
  if (match === null) throw new TextError('a duration in seconds expected, such as 1.5s');
  const [, sign = '', whole = '', fraction = ''] = match;
  const seconds = Number(whole);
  const nanos = Number(fraction.padEnd(9, '0'));
  if (!inDurationRange(seconds, nanos))
    throw new TextError('a duration of at most 315576000000.999999999s expected');
  return sign === '-' ? { seconds: 0 - seconds, nanos: 0 - nanos } : { seconds, nanos };
}

/** @returns undefined when out of range */
export function formatTimestamp({ seconds, nanos }: Time): string | undefined {
  if (!inTimestampRange(seconds) || nanos < 0 || nanos > 999_999_999) return undefined;
  const day = Math.floor(seconds / 86_400);
  const second = seconds - day * 86_400;
  const time = `${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}`;
  return `${dateOf(day)}T${time}${fractionOf(nanos)}Z`;
}

/** @returns undefined when out of range, or of two signs */
export function formatDuration({ seconds, nanos }: Time): string | undefined {
  if (!inDurationRange(Math.abs(seconds), Math.abs(nanos)) || seconds * nanos < 0) return undefined;
  const sign = seconds < 0 || nanos < 0 ? '-' : '';
  return `${sign}${Math.abs(seconds)}${fractionOf(Math.abs(nanos))}s`;
}

/** Days from 0000-03-01 to 1970-01-01; days of 400 years, which repeat. */
const epochDay = 719_468;
const eraDays = 146_097;

/** The Gregorian date of a day since 1970-01-01; years begin in March here, so that the leap day is the last one. */
function dateOf(day: number): string {
  const era = Math.floor((day + epochDay) / eraDays);
  const ofEra = day + epochDay - era * eraDays;
  const leapDays = Math.floor(ofEra / 1460) - Math.floor(ofEra / 36_524) + Math.floor(ofEra / 146_096);
  const yearOfEra = Math.floor((ofEra - leapDays) / 365);
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const month = Math.floor((5 * ofYear + 2) / 153);
  const date = ofYear - Math.floor((153 * month + 2) / 5) + 1;
  const year = era * 400 + yearOfEra + (month > 9 ? 1 : 0);
  return `${year < 1000 ? String(year).padStart(4, '0') : year}-${two(month < 10 ? month + 3 : month - 9)}-${two(date)}`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/** None, 3, 6 or 9 digits. */
function fractionOf(nanos: number): string {
  if (nanos === 0) return '';
  const digits = String(nanos).padStart(9, '0');
  if (digits.endsWith('000000')) return `.${digits.slice(0, 3)}`;
  return digits.endsWith('000') ? `.${digits.slice(0, 6)}` : `.${digits}`;
}

function inTimestampRange(seconds: number): boolean {
  return seconds >= firstSecond && seconds <= lastSecond;
}

function inDurationRange(seconds: number, nanos: number): boolean {
  return nanos <= 999_999_999 && seconds <= longestDuration;
}

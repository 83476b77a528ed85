// Days and periods: ISO days as texts, in words as analytics/format/days.py writes them.

const DAY_MS = 86_400_000;
const MONTH_NAMES = ["January", "February", "March", "April", "May", "June", "July", "August",
  "September", "October", "November", "December"];

/** @param {string} iso @param {number} days */
export const shifted = (iso, days) =>
  new Date(Date.parse(iso) + days * DAY_MS).toISOString().slice(0, 10);
/** @param {string} from @param {string} to The days from one to the other. */
export const daysBetween = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
/** @param {string} from @param {string} to @returns {string[]} Each day, both ends included. */
export const daysOf = (from, to) =>
  Array.from({ length: Math.max(daysBetween(from, to) + 1, 0) },
    (_, index) => shifted(from, index));
/** @param {string} iso */
export const mondayOf = (iso) => shifted(iso, -((new Date(iso).getUTCDay() + 6) % 7));
/** @param {string} iso A day or a month. @param {number} count @returns {string} A month. */
export const monthShifted = (iso, count) => {
  const [year, month] = iso.split("-").map(Number);
  return new Date(Date.UTC(year, month - 1 + count)).toISOString().slice(0, 7);
};
/** @param {string} month */
export const lastDayOf = (month) => shifted(`${monthShifted(month, 1)}-01`, -1);
/** @param {string} from @param {string} to @returns {string[]} The months that hold the days. */
export const monthsOf = (from, to) => {
  const months = [];
  for (let month = from.slice(0, 7); month <= to.slice(0, 7); month = monthShifted(month, 1)) {
    months.push(month);
  }
  return months;
};

/** @param {string} iso */
const parts = (iso) => {
  const [year, month, day] = iso.split("-").map(Number);
  return { year, name: MONTH_NAMES[month - 1], day };
};
/** @param {string} iso `14 March 2026` */
export const dayInWords = (iso) => `${parts(iso).day} ${monthInWords(iso)}`;
/** @param {string} iso `14 Mar` */
export const dayInShort = (iso) => `${parts(iso).day} ${parts(iso).name.slice(0, 3)}`;
/** @param {string} iso `March 2026` */
export const monthInWords = (iso) => `${parts(iso).name} ${parts(iso).year}`;
/** @param {string} iso `Mar 2026`, never broken */
export const monthInShort = (iso) => `${parts(iso).name.slice(0, 3)}\u00a0${parts(iso).year}`;
/** @param {string} iso `2026-03-14 06:00 UTC` */
export const instantInWords = (iso) =>
  `${new Date(iso).toISOString().slice(0, 16).replace("T", " ")} UTC`;
/** @param {string} from @param {string} to Month and year stand once where both ends share them. */
export const periodInWords = (from, to) => {
  const { year, name, day } = parts(from);
  if (from === to) return dayInWords(to);
  if (from.slice(0, 7) === to.slice(0, 7)) return `${day}\u2013${dayInWords(to)}`;
  return `${day} ${name}${year === parts(to).year ? "" : ` ${year}`}\u2013${dayInWords(to)}`;
};

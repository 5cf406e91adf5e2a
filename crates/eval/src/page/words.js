
/** Words, numbers, runs of white space, and single characters of everything else. */
const WORDS = /\s+|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])[\p{L}\p{M}\p{N}_])+|./gsu;

/** Cells of the comparison's table: more takes longer than a reader waits. */
const MOST_CELLS = 16e6;

/**
 * What makes `after` of `before`, as runs `[kind, text]` of kind "same", "gone" and "new" by a longest common subsequence of words; null
 * where the two are too long and too different for that.
 */
const compare = (before, after) => {
  const [a, b] = [before.match(WORDS) ?? [], after.match(WORDS) ?? []];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const middle = differing(a.slice(start, a.length - end), b.slice(start, b.length - end));
  if (middle === null) return null;
  const runs = [];
  const add = (kind, word) => {
    if (runs.length && runs[runs.length - 1][0] === kind) runs[runs.length - 1][1] += word; else runs.push([kind, word]);
  };
  a.slice(0, start).forEach(word => add("same", word));
  middle.forEach(([kind, word]) => add(kind, word));
  a.slice(a.length - end).forEach(word => { if (end) add("same", word); });
  return runs;
};

const differing = (a, b) => {
  const width = b.length + 1;
  if ((a.length + 1) * width > MOST_CELLS) return null;
  // The length of the longest common subsequence of what follows each pair of places.
  const lengths = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const cell = i * width + j;
      lengths[cell] = a[i] === b[j] ? lengths[cell + width + 1] + 1 : Math.max(lengths[cell + width], lengths[cell + 1]);
    }
  }
  const steps = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) steps.push(["same", a[i++], j++]);
    else if (i < a.length && (j === b.length || lengths[(i + 1) * width + j] >= lengths[i * width + j + 1])) steps.push(["gone", a[i++]]);
    else steps.push(["new", b[j++]]);
  }
  return steps;
};

// How much processor time did a Node.js program's own measured part take? `node --require marked.cjs PROGRAM`; see marked.py.
'use strict';
const now = performance.now.bind(performance);
const marks = [];
performance.now = () => {
  // Only the program's own looks count: libraries look at the clock too.
  if (new Error().stack.split('\n')[2].includes(process.argv[1])) {
    const used = process.cpuUsage();
    marks.push((used.user + used.system) / 1e6);
  }
  return now();
};
process.on('exit', () => {
  if (marks.length > 1) process.stdout.write(JSON.stringify({ cpu_s: marks.at(-1) - marks.at(-2) }) + '\n');
});

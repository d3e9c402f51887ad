// One client against one server, all checks of a profile; prints one line each (ok, n/a with the reason, FAIL) and exits 1 if any failed.
//
// usage: node matrix.mjs --client sdk1|sdk2 [--mode legacy|auto|pin] --profile fixture|fleet|tools [--only NAME,..] (--url URL | -- COMMAND ARGS..)
import { withTimeout } from './common.mjs';

const words = process.argv.slice(2);
const target = { client: 'sdk2', mode: 'legacy', profile: 'fixture' };
while (words.length > 0) {
  const word = words.shift();
  if (word === '--') {
    target.command = words.splice(0);
  } else {
    target[word.replace(/^--/, '')] = words.shift();
  }
}
const { connect } = await import(`./${target.client}.mjs`);
const { checks } = await import(`./checks_${target.profile}.mjs`);
const only = target.only?.split(',');

let failed = 0;
let c;
try {
  c = await withTimeout(connect(target), 20000, 'connecting');
  c.target = target;
} catch (error) {
  console.log(`FAIL connect: ${error.message}`);
  process.exit(1);
}
for (const [name, check] of Object.entries(checks)) {
  if (only && !only.includes(name)) continue;
  try {
    const note = await withTimeout(check(c), 25000, name);
    console.log(note ? `n/a ${name}: ${note}` : `ok ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}: ${String(error.message).replaceAll('\n', ' ')}`);
  }
}
await withTimeout(c.close(), 10000, 'closing').catch((error) => { failed += 1; console.log(`FAIL close: ${error.message}`); });
process.exit(failed ? 1 : 0);

// What both SDK adapters and the checks share.

/// The client's own answers to a server that asks.
export const answers = {
  sampling: { role: 'assistant', model: 'test', content: { type: 'text', text: 'Paris, of course.' }, stopReason: 'endTurn' },
  elicitation: { action: 'accept', content: { username: 'ada', email: 'ada@example.org', name: 'Ada' } },
};

export const headers = () => (process.env.TIDELINE_KEY ? { Authorization: `Bearer ${process.env.TIDELINE_KEY}` } : {});

export const stdioOptions = (target) => ({ command: target.command[0], args: target.command.slice(1), stderr: process.env.SHOW_STDERR ? 'inherit' : 'ignore' });

export function expect(condition, text) {
  if (!condition) throw new Error(text);
}

export function expectEqual(got, wanted, what) {
  expect(JSON.stringify(got) === JSON.stringify(wanted), `${what}: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(got)?.slice(0, 400)}`);
}

export const text = (result) => (result.content ?? []).filter((c) => c.type === 'text').map((c) => c.text).join('\n');

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/// Polls until the condition holds; says what was waited for otherwise.
export async function until(condition, what, ms = 5000) {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}`);
    await sleep(20);
  }
}

/// The error that `promise` is rejected with.
export async function failure(promise, what) {
  let result;
  try {
    result = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`${what}: expected an error, got ${JSON.stringify(result)?.slice(0, 300)}`);
}

export function withTimeout(promise, ms, what) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

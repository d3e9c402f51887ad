// Checks against the fleet's endpoint: the hub's own tools, and each tool type of the devices once, with an argument that names the device.
import { expect, expectEqual, failure, sleep, text, until } from './common.mjs';

const watched = 'test://watched-resource';

function on(c, args = {}) {
  return { device: c.target.device, ...args };
}

async function cancelCount(c) {
  return Number(/\d+/.exec(text(await c.call('test_cancel_count', on(c))))[0]);
}

export const checks = {
  async era(c) {
    expectEqual(c.era, c.target.client === 'sdk1' || c.target.mode === 'legacy' ? 'legacy' : 'modern', 'era');
  },

  async list(c) {
    const tools = await c.tools();
    const names = tools.map((t) => t.name);
    for (const name of ['list_devices', 'describe_device', 'find_tools', 'latest', 'query', 'list_gaps', 'test_add', 'everything__echo']) {
      const tool = tools.find((t) => t.name === name);
      expect(tool, `tool ${name} is not listed`);
      expect(tool.description && tool.inputSchema?.type === 'object', `tool ${name} is not described`);
    }
    expect(tools.find((t) => t.name === 'test_add').inputSchema.properties.device, 'test_add has no argument that names the device');
    expectEqual(names, [...names].sort(), 'order of tools');
    expectEqual(names.length, new Set(names).size, 'each tool once');
  },

  async call(c) {
    const devices = await c.call('list_devices', {});
    expect(!devices.isError && JSON.stringify(devices).includes(c.target.device), `list_devices does not name ${c.target.device}`);
    const sum = await c.call('test_add', on(c, { a: 40, b: 2 }));
    expect(!sum.isError && JSON.stringify(sum).includes('42'), `test_add: ${JSON.stringify(sum).slice(0, 300)}`);
    expect(text(await c.call('find_tools', { query: 'adds two integers' })).includes('test_add'), 'find_tools does not find test_add');
  },

  async many(c) {
    const pattern = { device: '*' };
    const all = await c.call('sync_status', pattern);
    const shown = JSON.stringify(all);
    expect(shown.includes('"fixture') || shown.includes('fixture'), `no result of fixture: ${shown.slice(0, 300)}`);
    expect(shown.includes('children'), `no result of children: ${shown.slice(0, 300)}`);
  },

  async progress(c) {
    const seen = [];
    await c.call('test_tool_with_progress', on(c), { onprogress: (p) => seen.push([p.progress, p.total]) });
    expectEqual(seen, [[0, 100], [50, 100], [100, 100]], 'progress');
  },

  async cancel(c) {
    const before = await cancelCount(c);
    const abort = new AbortController();
    let ticks = 0;
    const call = c.call('test_wait', on(c, { seconds: 30 }), { signal: abort.signal, onprogress: () => { if (++ticks === 2) abort.abort('enough'); } });
    await failure(call, 'cancelled call');
    await until(async () => (await cancelCount(c)) === before + 1, 'the cancellation to reach the device');
  },

  async read(c) {
    const resources = await c.resources();
    expect(resources.length > 0, 'the fleet shows no resource');
    const read = await c.read(resources[0].uri);
    expect(read.contents?.[0]?.uri === resources[0].uri, `reading ${resources[0].uri}: ${JSON.stringify(read).slice(0, 300)}`);
    await c.templates();
    const error = await failure(c.read('test://nowhere'), 'unknown resource');
    expectEqual(error.code, c.target.client === 'sdk1' ? -32002 : -32602, 'code of an unknown resource');
  },

  async listen(c) {
    if (c.era !== 'modern') return 'legacy: see subscribe';
    const heard = [];
    c.on('notifications/tools/list_changed', () => heard.push('tools'));
    const subscription = await c.listen({ toolsListChanged: true });
    expectEqual(subscription.honoredFilter, { toolsListChanged: true }, 'granted filter');
    await sleep(300);
    await c.call('test_trigger_tool_change', on(c));
    await until(() => heard.includes('tools'), 'the change of the tools');
    await subscription.close();
  },

  async subscribe(c) {
    if (c.era === 'modern') return 'modern: see listen';
    const heard = [];
    c.on('notifications/tools/list_changed', () => heard.push('tools'));
    await c.call('test_trigger_tool_change', on(c));
    await until(() => heard.includes('tools'), 'the change of the tools');
    await c.subscribe(watched);
    await c.unsubscribe(watched);
  },

  async prompt(c) {
    const prompts = await c.prompts();
    expect(prompts.length > 0, 'the fleet shows no prompt');
    const wanted = prompts[0].arguments ?? [];
    const prompt = await c.prompt(prompts[0].name, Object.fromEntries(wanted.map((a) => [a.name, a.name === 'device' ? c.target.device : 'x'])));
    expect(prompt.messages?.length > 0, `prompt ${prompts[0].name}: ${JSON.stringify(prompt).slice(0, 300)}`);
    expectEqual((await failure(c.prompt('no_such_prompt'), 'unknown prompt')).code, -32602, 'code of an unknown prompt');
  },

  async completion(c) {
    const prompt = (await c.prompts()).find((p) => p.arguments?.some((a) => a.name === 'device'));
    if (!prompt) return 'no prompt of the fleet has an argument that names a device';
    const found = await c.complete({ type: 'ref/prompt', name: prompt.name }, { name: 'device', value: c.target.device.slice(0, 3) });
    expect(found.values.includes(c.target.device), `completion of a device: ${found.values}`);
  },

  async error(c) {
    const failed = await c.call('test_error_handling', on(c));
    expect(failed.isError === true && text(failed).length > 0, 'a failing tool must say so in its result');
    const nobody = await c.call('test_add', { device: 'no-such-device', a: 1, b: 2 });
    expect(nobody.isError === true && text(nobody).includes('no-such-device'), `an unknown device must be named: ${JSON.stringify(nobody).slice(0, 300)}`);
    const missing = await c.call('test_add', { a: 1, b: 2 });
    expect(missing.isError === true && text(missing).includes('device'), `a missing device must be named: ${JSON.stringify(missing).slice(0, 300)}`);
    expectEqual((await failure(c.call('no_such_tool', {}), 'unknown tool')).code, -32602, 'code of an unknown tool');
  },

  async elicitation(c) {
    const answer = text(await c.call('test_elicitation', on(c, { message: 'Who?' })));
    expect(answer.includes('ada@example.org'), `the answer of the user did not reach the tool: ${answer}`);
  },
};

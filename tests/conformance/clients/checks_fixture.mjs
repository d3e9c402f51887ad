// Checks against a server that shows the fixture's tools under their own names: the fixture itself, an agent with it as a child, or that
// agent's endpoint at the hub. Each is one function that throws what was wrong. `c` is a connected client (sdk1.mjs, sdk2.mjs).
import { expect, expectEqual, failure, sleep, text, until } from './common.mjs';

const watched = 'test://watched-resource';

async function cancelCount(c) {
  return Number(text(await c.call('test_cancel_count', {})));
}

export const checks = {
  async era(c) {
    const wanted = c.target.client === 'sdk1' || c.target.mode === 'legacy' ? 'legacy' : 'modern';
    expectEqual(c.era, wanted, 'era');
  },

  async list(c) {
    const tools = await c.tools();
    for (const name of ['about', 'test_simple_text', 'test_add', 'json_schema_2020_12_tool', 'slow_compute']) {
      const tool = tools.find((t) => t.name === name);
      expect(tool, `tool ${name} is not listed`);
      expect(tool.description && tool.inputSchema?.type === 'object', `tool ${name} is not described`);
    }
    const add = tools.find((t) => t.name === 'test_add');
    expect(add.outputSchema?.properties?.sum && add.annotations?.readOnlyHint === true, 'test_add lost its output schema or its annotations');
    const names = tools.map((t) => t.name);
    expectEqual(names, [...names].sort(), 'order of tools');
    expect((await c.resources()).some((r) => r.uri === 'test://static-text'), 'resource test://static-text is not listed');
    expect((await c.templates()).some((t) => t.uriTemplate === 'test://template/{id}/data'), 'the template is not listed');
    expect((await c.prompts()).some((p) => p.name === 'test_prompt_with_arguments' && p.arguments?.length === 2), 'the prompt is not listed');
  },

  async call(c) {
    expectEqual(text(await c.call('test_simple_text')), 'This is a simple text response for testing.', 'text');
    const sum = await c.call('test_add', { a: 40, b: 2 });
    expectEqual(sum.structuredContent, { sum: 42 }, 'structured content');
    const mixed = await c.call('test_multiple_content_types', {});
    expectEqual(mixed.content.map((part) => part.type), ['text', 'image', 'resource'], 'content');
    expectEqual((await c.call('test_audio_content', {})).content[0].mimeType, 'audio/wav', 'sound');
    expectEqual(JSON.parse(text(await c.call('test_echo', { value: { deep: [1, 'ä\u0000', null] } }))), { value: { deep: [1, 'ä\u0000', null] } }, 'echo');
  },

  async together(c) {
    const numbers = Array.from({ length: 20 }, (_, i) => i);
    const sums = await Promise.all(numbers.map((i) => c.call('test_add', { a: i, b: 1000 })));
    expectEqual(sums.map((s) => s.structuredContent.sum), numbers.map((i) => i + 1000), 'twenty calls at once');
  },

  async progress(c) {
    const seen = [];
    await c.call('test_tool_with_progress', {}, { onprogress: (p) => seen.push(p) });
    expectEqual(seen.map((p) => [p.progress, p.total]), [[0, 100], [50, 100], [100, 100]], 'progress');
  },

  async cancel(c) {
    const before = await cancelCount(c);
    const abort = new AbortController();
    let ticks = 0;
    const call = c.call('test_wait', { seconds: 30 }, { signal: abort.signal, onprogress: () => { if (++ticks === 2) abort.abort('enough'); } });
    const start = Date.now();
    await failure(call, 'cancelled call');
    expect(Date.now() - start < 5000, 'the cancelled call did not end at once');
    await until(async () => (await cancelCount(c)) === before + 1, 'the cancellation to reach the server');
  },

  async read(c) {
    expectEqual((await c.read('test://static-text')).contents[0].text, 'This is the content of the static text resource.', 'text resource');
    expect((await c.read('test://static-binary')).contents[0].blob?.startsWith('iVBOR'), 'binary resource is no picture');
    expect((await c.read('test://template/x%20y/data')).contents[0].text.includes('"x%20y"'), 'the template did not get its id');
    const error = await failure(c.read('test://nowhere'), 'unknown resource');
    // The client 2.x shows the old code as the new one.
    expectEqual(error.code, c.target.client === 'sdk1' ? -32002 : -32602, 'code of an unknown resource');
    expectEqual(error.data?.uri, 'test://nowhere', 'data.uri of an unknown resource');
  },

  // Modern: a listen hears of what it asked for, and only of that, and ends when told to.
  async listen(c) {
    if (c.era !== 'modern') return 'legacy: see subscribe';
    const heard = [];
    c.on('notifications/tools/list_changed', () => heard.push('tools'));
    c.on('notifications/prompts/list_changed', () => heard.push('prompts'));
    c.on('notifications/resources/updated', (n) => heard.push(n.params.uri));
    const subscription = await c.listen({ toolsListChanged: true, resourceSubscriptions: [watched] });
    expectEqual(subscription.honoredFilter, { toolsListChanged: true, resourceSubscriptions: [watched] }, 'granted filter');
    await sleep(300); // a watch travels on to the fixture, an agent and a hub away
    await c.call('test_trigger_resource_update', {});
    await until(() => heard.includes(watched), 'the update of the watched resource');
    await c.call('test_trigger_tool_change', {});
    await until(() => heard.includes('tools'), 'the change of the tools');
    await c.call('test_trigger_prompt_change', {});
    await sleep(700);
    expect(!heard.includes('prompts'), 'heard of prompts, which were not asked for');
    await subscription.close();
  },

  async subscribe(c) {
    if (c.era === 'modern') return 'modern: see listen';
    const heard = [];
    c.on('notifications/tools/list_changed', () => heard.push('tools'));
    c.on('notifications/resources/updated', (n) => heard.push(n.params.uri));
    await c.subscribe(watched);
    await sleep(300);
    await c.call('test_trigger_resource_update', {});
    await c.call('test_trigger_tool_change', {});
    await until(() => heard.includes(watched) && heard.includes('tools'), `the update and the change, heard ${heard}`);
    await c.unsubscribe(watched);
    await sleep(300);
    heard.length = 0;
    await c.call('test_trigger_resource_update', {});
    await sleep(300);
    expect(!heard.includes(watched), 'heard of a resource after the end of the subscription');
  },

  async prompt(c) {
    const simple = await c.prompt('test_simple_prompt');
    expectEqual(simple.messages[0].content.text, 'This is a simple prompt for testing.', 'prompt');
    const filled = await c.prompt('test_prompt_with_arguments', { arg1: 'a', arg2: "b'c" });
    expectEqual(filled.messages[0].content.text, "Prompt with arguments: arg1='a', arg2='b'c'", 'prompt with arguments');
    expectEqual((await failure(c.prompt('test_prompt_with_arguments', { arg1: 'a' }), 'missing argument')).code, -32602, 'code of a missing argument');
    expectEqual((await failure(c.prompt('no_such_prompt'), 'unknown prompt')).code, -32602, 'code of an unknown prompt');
  },

  async completion(c) {
    const ofPrompt = await c.complete({ type: 'ref/prompt', name: 'test_prompt_with_arguments' }, { name: 'arg1', value: 'par' });
    expectEqual(ofPrompt.values, ['paris', 'park', 'party'], 'completion of a prompt');
    const ofTemplate = await c.complete({ type: 'ref/resource', uri: 'test://template/{id}/data' }, { name: 'id', value: '12' });
    expectEqual(ofTemplate.values, ['12', '123'], 'completion of a template');
  },

  async error(c) {
    const failed = await c.call('test_error_handling', {});
    expect(failed.isError === true && text(failed).length > 0, 'a failing tool must say so in its result');
    const wrong = await c.call('greet', { name: 7 });
    expect(wrong.isError === true && text(wrong).includes('name'), `a wrong argument must be named in the result, got ${JSON.stringify(wrong)}`);
    expectEqual((await failure(c.call('no_such_tool', {}), 'unknown tool')).code, -32602, 'code of an unknown tool');
  },

  async logging(c) {
    const seen = [];
    c.on('notifications/message', (n) => seen.push(n.params.data));
    await c.call('test_tool_with_logging', {}, c.era === 'modern' ? {} : undefined);
    if (c.era === 'modern') {
      expectEqual(seen, [], 'log messages that were not asked for');
      await c.call('test_tool_with_logging', {}, { params: { _meta: { 'io.modelcontextprotocol/logLevel': 'info' } } });
    }
    await until(() => seen.length === 3, `three log messages, got ${seen.length}`);
    if (c.era === 'modern') return;
    await c.setLevel('error');
    seen.length = 0;
    await c.call('test_tool_with_logging', {});
    await sleep(200);
    expectEqual(seen, [], 'log messages below the level that was set');
  },

  async sampling(c) {
    expect(text(await c.call('test_sampling', { prompt: 'Capital of France?' })).includes('Paris, of course.'), 'the answer of the model did not reach the tool');
  },

  async elicitation(c) {
    const answer = text(await c.call('test_elicitation', { message: 'Who?' }));
    expect(answer.includes('ada@example.org') && answer.includes('accept'), `the answer of the user did not reach the tool: ${answer}`);
    const rounds = text(await c.call('test_input_required_result_multi_round', {}));
    expectEqual(rounds, 'Both steps are done.', 'two rounds');
  },

  async ping(c) {
    if (c.era === 'modern') return 'modern: removed from the protocol';
    await c.ping();
  },
};

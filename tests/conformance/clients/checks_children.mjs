// Checks that every tool of two third-party servers, children of an agent, can be called: server-everything as everything__*, server-memory
// as memory__*. The same at the agent and at its endpoint of the hub, with clients of both eras.
import { expect, expectEqual, failure, text } from './common.mjs';

const everything = {
  'echo': [{ message: 'hi' }, 'Echo: hi'],
  'get-annotated-message': [{ messageType: 'error' }, 'Error'],
  'get-env': [{}, 'PATH'],
  'get-resource-links': [{ count: 2 }, 'resource'],
  'get-resource-reference': [{ resourceType: 'Text', resourceId: 1 }, 'resource'],
  'get-structured-content': [{ location: 'Chicago' }, 'temperature'],
  'get-sum': [{ a: 2, b: 3 }, '5'],
  'get-tiny-image': [{}, 'image'],
  'gzip-file-as-resource': [{ name: 'x.gz', data: 'data:text/plain;base64,aGVsbG8=', outputType: 'resource' }, null],
  'toggle-simulated-logging': [{}, 'logging'],
  'toggle-subscriber-updates': [{}, 'simulated resource update'],
  'trigger-long-running-operation': [{ duration: 0.4, steps: 2 }, 'completed'],
};
// Made for the task experiment of 2025-11-25, which no other revision has and nobody maps to the extension.
const experiments = ['simulate-research-query'];

const entity = { name: 'pump', entityType: 'machine', observations: ['loud'] };
const relation = { from: 'pump', to: 'valve', relationType: 'feeds' };

async function callMemory(c, name, args) {
  const result = await c.call(`memory__${name}`, args);
  expect(!result.isError, `${name}: ${text(result)}`);
  expect(result.structuredContent, `${name} lost its structured content`);
  return result.structuredContent;
}

export const checks = {
  async list(c) {
    const names = (await c.tools()).map((t) => t.name);
    const ours = names.filter((n) => n.startsWith('everything__')).map((n) => n.slice('everything__'.length));
    const missing = Object.keys(everything).filter((n) => !ours.includes(n));
    const untried = ours.filter((n) => !(n in everything) && !experiments.includes(n));
    expectEqual([missing, untried], [[], []], 'tools of server-everything that are missing, and those without a check here');
    expectEqual(names.filter((n) => n.startsWith('memory__')).length, 9, 'tools of server-memory');
  },

  async everything(c) {
    const problems = [];
    for (const [name, [args, wanted]] of Object.entries(everything)) {
      try {
        const result = await c.call(`everything__${name}`, args);
        const shown = JSON.stringify(result);
        if (result.isError) problems.push(`${name}: ${text(result)}`);
        else if (wanted && !shown.toLowerCase().includes(wanted.toLowerCase())) problems.push(`${name}: ${shown.slice(0, 200)}`);
      } catch (error) {
        problems.push(`${name}: ${error.message}`);
      }
    }
    expect(problems.length === 0, problems.join('; '));
  },

  async progress(c) {
    const seen = [];
    await c.call('everything__trigger-long-running-operation', { duration: 0.9, steps: 3 }, { onprogress: (p) => seen.push(p.progress) });
    expect(seen.length >= 2 && seen[0] < seen[1], `progress of the child: ${seen}`);
  },

  async environment(c) {
    const env = JSON.parse(text(await c.call('everything__get-env', {})));
    expect(!Object.keys(env).some((k) => k.startsWith('SECRET_')), `the child sees variables that it was not given: ${Object.keys(env)}`);
  },

  async error(c) {
    const result = await c.call('everything__get-sum', { a: 'two', b: 3 }).catch((error) => ({ isError: true, content: [{ type: 'text', text: error.message }] }));
    expect(result.isError && text(result).length > 0, 'a wrong argument must come back as an error');
    expectEqual((await failure(c.call('everything__nothing', {}), 'unknown tool')).code, -32602, 'code of an unknown tool of a child');
  },

  async memory(c) {
    await callMemory(c, 'create_entities', { entities: [entity, { ...entity, name: 'valve' }] });
    await callMemory(c, 'create_relations', { relations: [relation] });
    await callMemory(c, 'add_observations', { observations: [{ entityName: 'pump', contents: ['warm'] }] });
    expectEqual((await callMemory(c, 'search_nodes', { query: 'warm' })).entities.length, 1, 'entities found');
    expectEqual((await callMemory(c, 'open_nodes', { names: ['valve'] })).entities[0].name, 'valve', 'entity opened');
    await callMemory(c, 'delete_observations', { deletions: [{ entityName: 'pump', observations: ['warm'] }] });
    await callMemory(c, 'delete_relations', { relations: [relation] });
    await callMemory(c, 'delete_entities', { entityNames: ['pump', 'valve'] });
    expectEqual((await callMemory(c, 'read_graph', {})).entities, [], 'entities at the end');
  },
};

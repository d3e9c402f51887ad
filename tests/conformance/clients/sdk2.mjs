// The TypeScript client 2.x: both eras. Modes: legacy (its default), auto (asks first), pin (2026-07-28 or nothing).
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { answers, headers, stdioOptions } from './common.mjs';

export async function connect(target) {
  const mode = target.mode === 'pin' ? { pin: '2026-07-28' } : target.mode;
  const client = new Client(
    { name: 'conformance-sdk2', version: '0' },
    { versionNegotiation: { mode }, capabilities: target.plain ? {} : { sampling: {}, elicitation: {} } });
  if (!target.plain) {
    client.setRequestHandler('sampling/createMessage', async () => answers.sampling);
    client.setRequestHandler('elicitation/create', async () => answers.elicitation);
  }
  const transport = target.url
    ? new StreamableHTTPClientTransport(new URL(target.url), { requestInit: { headers: headers() } })
    : new StdioClientTransport(stdioOptions(target));
  await client.connect(transport);
  const fresh = { cacheMode: 'refresh' };
  return {
    era: client.getProtocolEra(),
    revision: client.getNegotiatedProtocolVersion(),
    capabilities: client.getServerCapabilities(),
    tools: async () => (await client.listTools(undefined, fresh)).tools,
    resources: async () => (await client.listResources(undefined, fresh)).resources,
    templates: async () => (await client.listResourceTemplates(undefined, fresh)).resourceTemplates,
    prompts: async () => (await client.listPrompts(undefined, fresh)).prompts,
    call: (name, args, options = {}) => client.callTool({ name, arguments: args, ...options.params }, options),
    read: (uri) => client.readResource({ uri }, fresh),
    prompt: (name, args) => client.getPrompt({ name, arguments: args }),
    complete: async (ref, argument) => (await client.complete({ ref, argument })).completion,
    on: (method, handler) => client.setNotificationHandler(method, handler),
    subscribe: (uri) => client.subscribeResource({ uri }),
    unsubscribe: (uri) => client.unsubscribeResource({ uri }),
    listen: (filter) => client.listen(filter),
    ping: () => client.ping(),
    setLevel: (level) => client.setLoggingLevel(level),
    close: () => client.close(),
  };
}

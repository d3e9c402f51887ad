// The TypeScript SDK 1.x: speaks the legacy revisions only.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema, ElicitRequestSchema, LoggingMessageNotificationSchema, PromptListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema, ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { answers, headers, stdioOptions } from './common.mjs';

const notifications = {
  'notifications/message': LoggingMessageNotificationSchema,
  'notifications/prompts/list_changed': PromptListChangedNotificationSchema,
  'notifications/resources/updated': ResourceUpdatedNotificationSchema,
  'notifications/tools/list_changed': ToolListChangedNotificationSchema,
};

export async function connect(target) {
  const client = new Client({ name: 'conformance-sdk1', version: '0' }, { capabilities: target.plain ? {} : { sampling: {}, elicitation: {} } });
  if (!target.plain) {
    client.setRequestHandler(CreateMessageRequestSchema, async () => answers.sampling);
    client.setRequestHandler(ElicitRequestSchema, async () => answers.elicitation);
  }
  const transport = target.url
    ? new StreamableHTTPClientTransport(new URL(target.url), { requestInit: { headers: headers() } })
    : new StdioClientTransport(stdioOptions(target));
  await client.connect(transport);
  return {
    era: 'legacy',
    revision: transport.protocolVersion ?? 'legacy',
    capabilities: client.getServerCapabilities(),
    tools: async () => (await client.listTools()).tools,
    resources: async () => (await client.listResources()).resources,
    templates: async () => (await client.listResourceTemplates()).resourceTemplates,
    prompts: async () => (await client.listPrompts()).prompts,
    call: (name, args, options = {}) => client.callTool({ name, arguments: args, ...options.params }, undefined, options),
    read: (uri) => client.readResource({ uri }),
    prompt: (name, args) => client.getPrompt({ name, arguments: args }),
    complete: async (ref, argument) => (await client.complete({ ref, argument })).completion,
    on: (method, handler) => client.setNotificationHandler(notifications[method], handler),
    subscribe: (uri) => client.subscribeResource({ uri }),
    unsubscribe: (uri) => client.unsubscribeResource({ uri }),
    ping: () => client.ping(),
    setLevel: (level) => client.setLoggingLevel(level),
    close: () => client.close(),
  };
}

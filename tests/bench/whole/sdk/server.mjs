// The peers of the benchmarks: an MCP server made with the TypeScript SDK, 1.x or 2.x, whose tool `latest` answers with the result in a file,
// kept in memory. No output schema is declared, so nothing of the answer is checked: the job at its lightest for the SDK.
//
// usage: node server.mjs 1|2 stdio|http|https RESULT.json [CERTIFICATE KEY]
//
// As documented by the SDKs, in the arrangement that answers fastest: 1.x over HTTP keeps one transport per session and answers with JSON, 2.x has
// serveStdio() and createMcpHandler(). Prints the port on standard error when it listens.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { z } from 'zod';

const [version, way, file, certificate, key] = process.argv.slice(2);
const result = JSON.parse(readFileSync(file, 'utf8'));
const shape = { series: z.string().optional(), devices: z.string().optional() };
const answer = async () => ({ content: result.content, structuredContent: result.structuredContent });
const about = { title: 'Latest values', description: 'The newest value of each series.' };

async function make() {
  const { McpServer } = version === '1' ? await import('@modelcontextprotocol/sdk/server/mcp.js') : await import('@modelcontextprotocol/server');
  return () => {
    const server = new McpServer({ name: 'peer', version: '1' });
    server.registerTool('latest', { ...about, inputSchema: version === '1' ? shape : z.object(shape) }, answer);
    return server;
  };
}

async function stdio(factory) {
  if (version === '1') {
    const { StdioServerTransport } = await import('@modelcontextprotocol/sdk/server/stdio.js');
    await factory().connect(new StdioServerTransport());
  } else {
    const { serveStdio } = await import('@modelcontextprotocol/server/stdio');
    serveStdio(factory);
  }
}

async function handler(factory) {
  if (version === '2') {
    const { createMcpHandler } = await import('@modelcontextprotocol/server');
    const { toNodeHandler } = await import('@modelcontextprotocol/node');
    return toNodeHandler(createMcpHandler(factory));
  }
  const { StreamableHTTPServerTransport } = await import('@modelcontextprotocol/sdk/server/streamableHttp.js');
  const sessions = new Map();
  return async (request, response) => {
    const known = sessions.get(request.headers['mcp-session-id']);
    if (known) return known.handleRequest(request, response);
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      enableJsonResponse: true,
      onsessioninitialized: (id) => sessions.set(id, transport),
    });
    await factory().connect(transport);
    return transport.handleRequest(request, response);
  };
}

const factory = await make();
if (way === 'stdio') {
  await stdio(factory);
} else {
  const handle = await handler(factory);
  const server = way === 'https' ? createSecureServer({ cert: readFileSync(certificate), key: readFileSync(key) }, handle) : createServer(handle);
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', 4096, () => console.error(`listening on 127.0.0.1:${server.address().port}`));
}

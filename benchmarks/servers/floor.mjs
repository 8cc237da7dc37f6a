// The floor of the TypeScript SDK: four tools, and Vercel's answers passed through as they are.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [specs, modules] = process.argv.slice(2);
const installed = createRequire(pathToFileURL(join(modules, "package.json")));
const load = (name) => import(pathToFileURL(installed.resolve(`@modelcontextprotocol/sdk/${name}`)).href.replace("/dist/cjs/", "/dist/esm/"));
const { Server } = await load("server/index.js");
const { StdioServerTransport } = await load("server/stdio.js");
const { CallToolRequestSchema, ListToolsRequestSchema } = await load("types.js");

const { VERCEL_API_URL: api, VERCEL_TOKEN: token, VERCEL_TEAM_ID: teamId } = process.env;
const operations = {
  "list-configurations": ["GET", "/v1/integrations/configurations"],
  "list-products": ["GET", "/v1/integrations/configuration/{id}/products"],
  "list-plans": ["GET", "/v1/integrations/integration/{integrationIdOrSlug}/products/{productIdOrSlug}/plans"],
  "create-store": ["POST", "/v1/storage/stores/integration/direct"],
};

function tool(name) {
  const { outputSchema, ...definition } = JSON.parse(readFileSync(join(specs, `${name}.json`), "utf-8"));
  return definition;
}

async function call({ name, arguments: given = {} }) {
  const [method, template] = operations[name];
  const rest = { ...given };
  const path = template.replace(/\{(\w+)\}/g, (_, key) => {
    delete rest[key];
    return encodeURIComponent(given[key]);
  });
  const query = new URLSearchParams(method === "GET" ? { ...rest, teamId } : { teamId });
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const body = method === "POST" ? JSON.stringify(rest) : undefined;
  const answer = await fetch(`${api}${path}?${query}`, { method, headers, body });
  return { content: [{ type: "text", text: await answer.text() }], isError: !answer.ok };
}

const server = new Server({ name: "ts-floor", version: "1" }, { capabilities: { tools: {} } });
server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: Object.keys(operations).map(tool) }));
server.setRequestHandler(CallToolRequestSchema, ({ params }) => call(params));
await server.connect(new StdioServerTransport());

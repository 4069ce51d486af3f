// Trims GitHub's example payloads of webhooks: URLs and other words that nothing reads.
//
//   npm pack @octokit/webhooks-examples@7.6.1 && tar xzf octokit-webhooks-examples-7.6.1.tgz
//   node tools/github-openapi/webhooks.mjs package/api.github.com/index.json internal/github/testdata/webhooks.json.gz
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const [source, target] = process.argv.slice(2);
if (!target) {
  console.error("usage: webhooks.mjs index.json out.json.gz");
  process.exit(2);
}
function lean(v) {
  if (Array.isArray(v)) return v.map(lean);
  if (v === null || typeof v !== "object") return v;
  const keys = Object.keys(v).filter((k) => !/(_url|^url|^node_id|^gravatar_id|^href)$/.test(k));
  return Object.fromEntries(keys.map((k) => [k, lean(v[k])]));
}
const out = [];
for (const event of JSON.parse(readFileSync(source, "utf8"))) {
  for (const payload of event.examples) out.push({ event: event.name, payload: lean(payload) });
}
writeFileSync(target, gzipSync(JSON.stringify(out), { level: 9 }));

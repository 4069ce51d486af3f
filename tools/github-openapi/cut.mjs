// Cuts GitHub's OpenAPI description down to the operations that the fake GitHub of
// the tests speaks, with every schema that they reach.
//
//   npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-23.0.2.tgz
//   node tools/github-openapi/cut.mjs package/generated/api.github.com.json \
//     tools/github-openapi/operations.txt internal/github/githubtest/testdata/github-openapi.json.gz
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const [source, list, target] = process.argv.slice(2);
if (!target) {
  console.error("usage: cut.mjs api.github.com.json operations.txt out.json.gz");
  process.exit(2);
}
const whole = JSON.parse(readFileSync(source, "utf8"));
const wanted = new Set(readFileSync(list, "utf8").split("\n").map((s) => s.trim()).filter(Boolean));

// Examples are dropped because some of GitHub's own do not fit its schemas; prose,
// because nothing reads it.
const drop = new Set(["example", "examples", "description", "summary", "externalDocs", "tags", "deprecated", "x-github", "x-octokit"]);
function lean(node, isMap) {
  if (Array.isArray(node)) return node.map((n) => lean(n, false));
  if (node === null || typeof node !== "object") return node;
  const out = {};
  for (const key of Object.keys(node)) {
    // Below "properties" a key is a field's name, which may be one of those words.
    if (!isMap && drop.has(key)) continue;
    out[key] = lean(node[key], !isMap && (key === "properties" || key === "responses"));
  }
  // A response must have a description.
  return out;
}

const components = {};
function follow(node) {
  if (node === null || typeof node !== "object") return;
  if (typeof node.$ref === "string") {
    const [, , kind, name] = node.$ref.split("/");
    components[kind] ??= {};
    if (!(name in components[kind])) {
      components[kind][name] = lean(whole.components[kind][name], false);
      if (kind === "responses") components[kind][name].description = "";
      follow(components[kind][name]);
    }
  }
  for (const child of Object.values(node)) follow(child);
}

const paths = {};
const methods = ["get", "post", "put", "patch", "delete"];
for (const [path, item] of Object.entries(whole.paths)) {
  for (const method of methods) {
    const operation = item[method];
    if (!operation || !wanted.delete(operation.operationId)) continue;
    paths[path] ??= {};
    const kept = lean(operation, false);
    for (const response of Object.values(kept.responses)) if (!response.$ref) response.description = "";
    paths[path][method] = kept;
    follow(kept);
  }
}
if (wanted.size > 0) {
  console.error("not in the description: " + [...wanted].join(", "));
  process.exit(1);
}
const sorted = (o) => Object.fromEntries(Object.keys(o).sort().map((k) => [k, o[k]]));
for (const kind of Object.keys(components)) components[kind] = sorted(components[kind]);
const out = { openapi: whole.openapi, info: { title: whole.info.title, version: whole.info.version, license: whole.info.license }, paths: sorted(paths), components: sorted(components) };
writeFileSync(target, gzipSync(JSON.stringify(out), { level: 9 }));

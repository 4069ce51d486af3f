#!/usr/bin/env bash
# Makes testdata/demo anew: a small GitOps repository (base), and a pull request to it
# that brings one of each typical accident (head). Needs sops, age-keygen and GNU sed.
# The keys live in a temporary directory and are thrown away: nobody can open the files.
set -euo pipefail

demo=$(cd "$(dirname "$0")/../.." && pwd)/testdata/demo
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

new_key() { age-keygen -o "$work/$1.agekey" 2>/dev/null; age-keygen -y "$work/$1.agekey"; }
dev=$(new_key dev) staging=$(new_key staging) prod=$(new_key prod) oncall=$(new_key oncall) contractor=$(new_key contractor)
cat "$work"/*.agekey > "$work/all.agekey"
export SOPS_AGE_KEY_FILE=$work/all.agekey

put() { mkdir -p "$(dirname "$1")"; cat > "$1"; }                  # put FILE < content
seal() { sops --config .sops.yaml encrypt --in-place "$1"; }       # seal FILE, relative to the repository
secret() {                                                         # secret FILE NAME KEY=VALUE...
  local file=$1 name=$2; shift 2
  { printf 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\ntype: Opaque\nstringData:\n' "$name"
    printf '%s\n' "$@" | sed 's/=/: /; s/^/  /'; } | put "$file"
  seal "$file"
}

rm -rf "$demo/base" "$demo/head"
mkdir -p "$demo/base"
cd "$demo/base"

# --- how the repository is sealed -------------------------------------------------
sops_config() {  # sops_config RECIPIENTS-OF-PROD
  cat <<YAML
# One key per cluster. The on-call key is for people, and opens everything.
creation_rules:
  - path_regex: overlays/dev/.*\.sops\.yaml$
    encrypted_regex: ^(data|stringData)$
    age: $dev,$oncall
  - path_regex: overlays/staging/.*\.sops\.yaml$
    encrypted_regex: ^(data|stringData)$
    age: $staging,$oncall
  - path_regex: overlays/prod/.*\.sops\.yaml$
    encrypted_regex: ^(data|stringData)$
    age: $1
YAML
}
sops_config "$prod,$oncall,$contractor" | put .sops.yaml

put .gitignore <<'TXT'
# Plaintext env files stay on the machine that made them.
secrets/*.env
.env
*.agekey
TXT

put .sealward.yaml <<'YAML'
review:
  fail-on: error
ignore:
  - rule: leaked-token
    path: docs/**
    reason: examples in the handbook
YAML

put docs/handbook.md <<'MD'
# Handbook

- A new secret: `sops apps/<app>/overlays/<env>/secret.sops.yaml`, for every environment.
- Nothing is applied by hand. Flux reads `clusters/<env>`.
MD

# --- what Flux applies ------------------------------------------------------------
for env in dev staging prod; do
  put "clusters/$env/apps.yaml" <<YAML
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: shop
  namespace: flux-system
spec:
  interval: 10m
  path: ./apps/shop/overlays/$env
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
  decryption:
    provider: sops
    secretRef:
      name: sops-age
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: worker
  namespace: flux-system
spec:
  interval: 10m
  path: ./apps/worker/overlays/$env
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
  decryption:
    provider: sops
    secretRef:
      name: sops-age
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: billing
  namespace: flux-system
spec:
  interval: 10m
  path: ./apps/billing/overlays/$env
  prune: true
  dependsOn:
    - name: stores
  sourceRef:
    kind: GitRepository
    name: flux-system
YAML
  put "clusters/$env/stores.yaml" <<'YAML'
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: stores
  namespace: flux-system
spec:
  interval: 1h
  path: ./infrastructure/stores
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
YAML
done

# --- apps -------------------------------------------------------------------------
for app in shop worker; do
  put "apps/$app/base/kustomization.yaml" <<'YAML'
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - deployment.yaml
YAML
  put "apps/$app/base/deployment.yaml" <<YAML
apiVersion: apps/v1
kind: Deployment
metadata:
  name: $app
spec:
  selector:
    matchLabels: {app: $app}
  template:
    metadata:
      labels: {app: $app}
    spec:
      containers:
        - name: $app
          image: ghcr.io/example/$app:1.8.2
          envFrom:
            - secretRef: {name: $app}
YAML
done
sed -i '/secretRef: {name: shop}/a\            - configMapRef: {name: shop}' apps/shop/base/deployment.yaml

for env in dev staging prod; do
  put "apps/shop/overlays/$env/kustomization.yaml" <<YAML
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: shop
resources:
  - ../../base
  - secret.sops.yaml
configMapGenerator:
  - name: shop
    envs: [config.env]
YAML
  put "apps/shop/overlays/$env/config.env" <<ENV
LOG_LEVEL=$([ $env = prod ] && echo warn || echo debug)
CURRENCY=EUR
PAGE_SIZE=50
ENV
  secret "apps/shop/overlays/$env/secret.sops.yaml" shop \
    "DATABASE_URL=postgres://shop:synthetic-$env-1@db.$env.svc/shop" "SESSION_KEY=synthetic-$env-session" "SMTP_PASSWORD=synthetic-$env-smtp"
  put "apps/worker/overlays/$env/kustomization.yaml" <<'YAML'
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: shop
resources:
  - ../../base
  - secret.sops.yaml
YAML
  secret "apps/worker/overlays/$env/secret.sops.yaml" worker "QUEUE_URL=amqp://worker:synthetic-$env-2@mq.$env.svc" "BUCKET_KEY=synthetic-$env-bucket"
  put "apps/billing/overlays/$env/kustomization.yaml" <<'YAML'
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: billing
resources:
  - external-secret.yaml
YAML
  put "apps/billing/overlays/$env/external-secret.yaml" <<YAML
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: billing
spec:
  refreshInterval: 1h
  secretStoreRef:
    kind: ClusterSecretStore
    name: vault
  target:
    name: billing
  data:
    - secretKey: PSP_API_KEY
      remoteRef: {key: billing/$env, property: psp-api-key}
    - secretKey: WEBHOOK_SECRET
      remoteRef: {key: billing/$env, property: webhook-secret}
YAML
done

put infrastructure/stores/kustomization.yaml <<'YAML'
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - vault.yaml
YAML
put infrastructure/stores/vault.yaml <<'YAML'
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata:
  name: vault
spec:
  provider:
    vault:
      server: https://vault.example.com
      path: kv
      version: v2
      auth:
        kubernetes:
          mountPath: kubernetes
          role: external-secrets
YAML

# --- a kilter app: its env files are ignored by git, their names are committed -----
put kilter.yaml <<YAML
app: storefront
appSecrets:
  - storefront-env
environments:
  dev:
    namespace: storefront-dev
    sopsRecipient: $dev
    secrets:
      storefront-env: secrets/dev.env
  staging:
    namespace: storefront-staging
    sopsRecipient: $staging
    secrets:
      storefront-env: secrets/staging.env
  prod:
    namespace: storefront
    sopsRecipient: $prod
    secrets:
      storefront-env: secrets/prod.env
YAML
for env in dev staging prod; do
  printf 'ANALYTICS_KEY\nCDN_SIGNING_KEY\nSESSION_KEY\n' | put "secrets/$env.env.keys"
done

# --- the pull request -------------------------------------------------------------
cp -a "$demo/base" "$demo/head"
cd "$demo/head"

# A secret in clear, "just to unblock the deploy".
put apps/shop/overlays/staging/db-hotfix.yaml <<'YAML'
# just to unblock the deploy, will be sealed later
apiVersion: v1
kind: Secret
metadata:
  name: db-hotfix
stringData:
  username: shop
  password: tuesday-blue-teapot-41
YAML
sed -i '/secret.sops.yaml/a\  - db-hotfix.yaml' apps/shop/overlays/staging/kustomization.yaml

# A key for dev and staging, forgotten in prod.
for env in dev staging; do
  sops set "apps/shop/overlays/$env/secret.sops.yaml" '["stringData"]["SEARCH_API_KEY"]' "\"synthetic-$env-search\""
done

# The worker's staging secret made anew by hand, for the wrong cluster.
put apps/worker/overlays/staging/secret.sops.yaml <<'YAML'
apiVersion: v1
kind: Secret
metadata:
  name: worker
type: Opaque
stringData:
  QUEUE_URL: amqp://worker:synthetic-staging-3@mq.staging.svc
  BUCKET_KEY: synthetic-staging-bucket-3
YAML
printf 'creation_rules: [{age: "%s", encrypted_regex: ^(data|stringData)$}]' "$dev,$oncall" > "$work/wrong.yaml"
sops --config "$work/wrong.yaml" encrypt --in-place apps/worker/overlays/staging/secret.sops.yaml

# A local env file that got in with "git add -A".
put apps/billing/.env.prod <<'ENV'
# copied from the console
PSP_ACCOUNT=shop-eu
PSP_PASSWORD=N0t-A-Real-Pass-58Lk
LOG_LEVEL=info
ENV

# The contractor left: the rule no longer names them. One file was re-wrapped without
# a new data key, the other was forgotten.
sops_config "$prod,$oncall" | put .sops.yaml
sops --config .sops.yaml updatekeys --yes apps/shop/overlays/prod/secret.sops.yaml >/dev/null 2>&1

# A sealed value copied over another one: what is sealed knows its place.
file=apps/worker/overlays/dev/secret.sops.yaml
value=$(sed -n 's/^ *QUEUE_URL: //p' "$file")
sed -i "s|^\( *\)BUCKET_KEY: .*|\1BUCKET_KEY: $value|" "$file"

# A name that is set twice.
echo 'LOG_LEVEL=info' >> apps/shop/overlays/dev/config.env

# A private key beside the ingress. The body is no key.
put infrastructure/ingress/tls.key <<PEM
-----BEGIN PRIVATE KEY-----
$(printf 'not a key, only the shape of one %02d' 1 2 3 4 5 6 | tr -d '\n ' | base64 -w 64)
-----END PRIVATE KEY-----
PEM

# And the review told to look away.
put .sealward.yaml <<'YAML'
review:
  fail-on: never
ignore:
  - rule: leaked-token
    path: docs/**
    reason: examples in the handbook
  - rule: plaintext-secret
    path: apps/**
    reason: only staging
YAML

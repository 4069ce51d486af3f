package leak

import (
	"encoding/base64"
	"strings"
	"testing"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// document builds a document of "key.path=value" lines. A "!" in front marks a
// value that must be found; "\." in a path is a dot of a key.
func parseDocument(lines []string) (doc Document, want map[int]bool) {
	doc.Name, want = "apps/prod/app.yaml", map[int]bool{}
	for i, line := range lines {
		rest, hit := strings.CutPrefix(line, "!")
		want[i] = hit
		path, text, _ := strings.Cut(rest, "=")
		keys := strings.Split(strings.ReplaceAll(path, `\.`, "\x00"), ".")
		for k := range keys {
			keys[k] = strings.ReplaceAll(keys[k], "\x00", ".")
		}
		doc.Values = append(doc.Values, Value{Keys: keys, Text: text})
	}
	return doc, want
}

func TestValues(t *testing.T) {
	identity := bech32Encode("age-secret-key-", []byte(strings.Repeat("k9", 16)))
	identity = strings.ToUpper(identity)
	pem := "-----BEGIN RSA PRIVATE KEY-----\n" + strings.Repeat("MIIEowIBAAKCAQEAp7T84Nzd5y54a0qEFNeCXIDoz4LdfQqB2MloSl6aicKFRX7Y\n", 4) + "-----END RSA PRIVATE KEY-----"
	swarm := "SWMTKN" + "-1-" + strings.Repeat("3pu6hszjas", 5) + "-" + strings.Repeat("1awxwuw3z", 2) + "9j1z3pu"
	cases := []struct {
		name  string
		lines []string
	}{
		{"helm values", []string{"image.tag=1.2.3", "!auth.password=hunter2", "auth.existingSecret=db", "auth.secretKeys.adminPasswordKey=postgres-password", "passwordSecretRef.name=db", "passwordSecretRef.key=password", "grafana.admin.userKey=admin-user", "grafana.admin.passwordKey=admin-password", "!url=postgres://app:kd92Lq0x@db/app", "ingress.tls.secretName=app-tls"}},
		{"environment", []string{"env.name=DB_USER", "env.value=app", "env.name=DB_PASSWORD", "!env.value=kd92Lq0x", "env.name=API_TOKEN", "env.valueFrom.secretKeyRef.name=api", "env.valueFrom.secretKeyRef.key=token", "env.name=TOKEN_PATH", "env.value=/var/run/token"}},
		{"arguments", []string{"args=--verbose", "!args=--password=kd92Lq0x", "args=--password-file=/etc/pw", "!command=redis-server --requirepass kd92Lq0x", "!environment=DB_PASSWORD=kd92Lq0x", "environment=DB_PASSWORD=${DB_PASSWORD}"}},
		{"Secret", []string{"apiVersion=v1", "kind=Secret", "metadata.name=app", "type=Opaque", "!data.password=" + b64("kd92Lq0xMw"), "!data.token=" + b64("kd92Lq0xMw7Ra3Pz\n"), "data.plain=" + b64("password\n"), "data.username=" + b64("app"), "data.empty=", "data.placeholder=" + b64("changeme"), "data.host=" + b64("db.internal"), "!data.tls\\.key=" + b64(pem), "data.tls\\.crt=" + b64("-----BEGIN CERTIFICATE-----\nMIIC"), "!data.\\.dockerconfigjson=" + b64(`{"auths":{"r.io":{"auth":"`+b64("bot:kd92Lq0x")+`"}}}`), "!data.age\\.agekey=" + b64("# created\n"+identity+"\n"), "!stringData.whatever=kd92Lq0xMw7Ra3Pz", "!stringData.config\\.ini=[db]\npassword = kd92Lq0x\n", "stringData.admin\\.password=$2a$10$RncPyHW/B5ll2Z3J8s.IBOnbZ9uoJ4JhHLKzj5lzG/kU1KN1Oj3/K", "stringData.mtime=2026-01-01T00:00:00Z", "stringData.note=ENC[AES256_GCM,data:x,type:str]"}},
		{"List", []string{"apiVersion=v1", "kind=List", "items.apiVersion=v1", "items.kind=ConfigMap", "items.data.checksum=kd92Lq0xMw7Ra3Pz", "items.apiVersion=v1", "!items.data.blob=" + b64("kd92Lq0xMw7Ra3Pz"), "items.kind=Secret", "items.apiVersion=external-secrets.io/v1", "items.kind=ExternalSecret", "items.spec.data.secretKey=kd92Lq0xMw7Ra3Pz"}},
		{"ConfigMap", []string{"apiVersion=v1", "kind=ConfigMap", "!data.app\\.properties=db.user=x\ndb.password=kd92Lq0x\n", "data.app\\.json={\"password\": \"${DB}\"}", "!data.app2\\.json={\"password\": \"kd92Lq0x\"}", "data.password_policy=strict"}},
		{"ExternalSecret", []string{"apiVersion=external-secrets.io/v1", "kind=ExternalSecret", "spec.secretStoreRef.name=vault", "spec.data.secretKey=kd92Lq0xMw7Ra3Pz", "spec.data.remoteRef.key=kd92Lq0xMw7Ra3Pz9Wm1", "spec.target.template.data.password={{ .password }}"}},
		{"SealedSecret", []string{"kind=SealedSecret", "spec.encryptedData.password=AgB" + strings.Repeat("kd92Lq0x", 50)}},
		{"SOPS", []string{"password=ENC[AES256_GCM,data:kd92,iv:x,tag:y,type:str]", "sops.mac=ENC[AES256_GCM,data:kd92,type:str]", "sops.age.recipient=age1qyqszqgpqyqszqgp", "sops.age.enc=-----BEGIN AGE ENCRYPTED FILE-----\nkd92Lq0xMw7Ra3Pz9Wm1\n-----END AGE ENCRYPTED FILE-----\n", "!token=kd92Lq0xMw7Ra3Pz9Wm1"}},
		{"CRD", []string{"kind=CustomResourceDefinition", "spec.versions.schema.openAPIV3Schema.properties.password.default=kd92Lq0xMw7Ra3Pz", "spec.description=password: hunter2"}},
		{"OpenAPI", []string{"openapi=3.0.0", "paths./login.post.description=Send password: hunter2", "components.schemas.User.example.password=kd92Lq0xMw", "components.schemas.User.properties.password.type=string", "components.schemas.User.properties.password.format=password"}},
		{"groups", []string{"!passwords.root=kd92Lq0x", "!passwords.amy=Mw7Ra3Pz9W", "!secrets.payments=kd92Lq0xMw7Ra3Pz", "secrets.file=kd92Lq0xMw7Ra3Pz", "secrets.name=shop-db-2024", "secrets.db.external=true", "tokens.count=84729105", "!tokens.ci=kd92Lq0xMw7Ra3Pz"}},
		{"flags", []string{"args=--token", "!args=kd92Lq0xMw7Ra3Pz9Wm1", "args=--password-file", "args=kd92Lq0xMw", "args=--password", "args=--verbose", "args=--name", "args=kd92Lq0xMw7"}},
		{"phrases", []string{"pt-BR.devise.username=usuario", "pt-BR.devise.password=Palavra2!", "pt-BR.devise.token=qwzrxkvpjt"}},
		{"labels", []string{"form.username=Benutzer", "form.password=Losungswort", "web.username=amy", "web.password=Losungswort"}},
		{"JSON Web Key", []string{"keys.kty=RSA", "keys.n=" + strings.Repeat("kd92Lq0xMw7Ra3Pz", 8), "keys.e=AQAB", "!keys.d=" + strings.Repeat("kd92Lq0xMw7Ra3Pz", 8), "keys.kid=kd92Lq0xMw7Ra3Pz9Wm1", "!jwk.k=kd92Lq0xMw7Ra3Pz9Wm1Zr2u", "jwk.kty=oct", "path.d=M10Lq0xMw7Ra3Pz9Wm1Zr2u"}},
		{"login", []string{"imap.user=amy", "!imap.password=swordfish", "db.username=cassandra", "db.password=cassandra", "smtp.username=username", "smtp.password=swordfish", "ftp.password=swordfish", "ldap.login={{ user }}", "ldap.password=swordfish", "x.user=amy", "x.password=changeme", "env.MYSQL_USER=shop", "!env.MYSQL_PASSWORD=swordfish", "env.PG_USER=shop", "env.REDIS_PASSWORD=swordfish", "y.db\\.username=shop", "!y.db\\.password=swordfish", "z.POSTGRES_USER=postgres", "z.POSTGRES_PASSWORD=postgres", "z.POSTGRES_DB=postgres"}},
		{"bytes", []string{"apiVersion=v1", "kind=Secret", "metadata.name=app", "!data.encryption-key=" + b64("\x93kd\x00\xf2Lq0xM\xffw7Ra\x81P"), "data.logo=" + b64("\x93kd\x00\xf2Lq0xM\xffw7Ra\x81P"), "data.encryption-key-id=" + b64("\x93kd\x00\xf2Lq0xM\xffw7Ra\x81P")}},
		{"API examples", []string{"swagger=2.0", "paths./join.example.token=" + swarm, "!info.token=" + swarm}},
		{"schema", []string{"shapes.Arn.pattern=^arn:aws:secretsmanager:[a-z0-9]*:secret:[A-Za-z0-9]+$", "policy.keyData=" + b64("this key verifies\n-----BEGIN PGP PUBLIC KEY BLOCK-----\nkd92Lq0xMw7Ra3Pz9Wm1Zr2u\n")}},
		{"web tokens", []string{"!access_token=eyJ" + strings.Repeat("kd92Lq0x", 6) + ".eyJ" + strings.Repeat("Mw7Ra3Pz", 12) + ".Zr2u" + strings.Repeat("9Wm1kd92", 5), "id_token=header.eyJvaWQiOiAib2JqZWN0MTIzNCIsICJ4IjogInkifQ.signature"}},
		{"kubeconfig", []string{"kind=Config", "clusters.cluster.certificate-authority-data=" + b64("-----BEGIN CERTIFICATE-----\nMIIC"), "!users.user.client-key-data=" + b64(pem), "!users.user.token=kd92Lq0xMw7Ra3Pz9Wm1", "users.user.exec.command=aws"}},
		{"docker", []string{"!auths.registry\\.io.auth=" + b64("bot:kd92Lq0x"), "auths.registry\\.io.email=a@b.io", "credHelpers.gcr\\.io=gcloud"}},
		{"cloud-init", []string{"chpasswd.expire=false", "!chpasswd.list=root:kd92Lq0x\n"}},
		{"Flux", []string{"kind=Kustomization", "spec.decryption.provider=sops", "spec.decryption.secretRef.name=sops-age", "spec.sourceRef.name=flux-system", "spec.postBuild.substituteFrom.name=cluster-secrets", "metadata.annotations.checksum/secret=9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d", "spec.ref.commit=9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d9f8a7c6d"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			doc, want := parseDocument(c.lines)
			got := map[int]string{}
			for _, h := range Values(doc) {
				got[h.Index] = h.Rule
			}
			for i, line := range c.lines {
				switch {
				case want[i] && got[i] == "":
					t.Errorf("not found: %s", line)
				case !want[i] && got[i] != "":
					t.Errorf("%s is no %s", line, got[i])
				}
			}
		})
	}
}

// The neighbour that names a value may stand on either side of it.
func TestValuesTakeNamesFromNeighbours(t *testing.T) {
	doc, _ := parseDocument([]string{"parameters.value=kd92Lq0x", "parameters.name=DB_PASSWORD", "parameters.value=kd92Lq0x", "parameters.name=GREETING"})
	hits := Values(doc)
	if len(hits) == 0 || hits[0].Index != 0 {
		t.Errorf("got %d hits, want the first value", len(hits))
	}
}

package leak

import (
	"strings"
	"testing"
)

func TestSeverityFollowsTheConsequence(t *testing.T) {
	live := "sk_" + "live_" + "9fK2mQ7xT4bN8vR3cW6yZ1pL"
	trial := "sk_" + "test_" + "9fK2mQ7xT4bN8vR3cW6yZ1pL"
	cases := []struct {
		name, text string
		want       Severity
	}{
		{"apps/prod/values.yaml", "password: kd92Lq0xMw", Error},
		{"test/values.yaml", "password: kd92Lq0xMw", Warning},
		{"app/.env.example", "DB_PASSWORD=kd92Lq0xMw", Notice},
		{"app.conf", "url = postgres://app:kd92Lq0x@db.internal/app", Error},
		{"app.conf", "url = postgres://app:kd92Lq0x@localhost/app", Warning},
		{"app.conf", "key = " + live, Error},
		{"test/app.conf", "key = " + live, Error},
		{"app.conf", "key = " + trial, Notice},
		{"id_rsa", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n" + strings.Repeat("MIIEowIBAAKCAQEAp7T84Nzd5y54a0qEFNeCXIDoz4LdfQqB2MloSl6aicKFRX7Y\n", 3) + "-----END RSA PRIVATE KEY-----\n", Warning},
	}
	for _, c := range cases {
		got := Text(c.name, []byte(c.text))
		if len(got) != 1 || got[0].Severity != c.want {
			t.Errorf("%s %.20q: got %+v, want one match of severity %d", c.name, c.text, got, c.want)
		}
	}
}

func TestIssuersSayWhereToRevoke(t *testing.T) {
	got := Text("a.conf", []byte("key = sk_"+"live_"+"9fK2mQ7xT4bN8vR3cW6yZ1pL\n"))
	if len(got) != 1 || got[0].Issuer != "Stripe" || !strings.Contains(got[0].Revoke, "dashboard.stripe.com") || got[0].What == "" {
		t.Errorf("got %+v", got)
	}
	for _, i := range issuers {
		if !strings.HasSuffix(i.revoke, ".") {
			t.Errorf("%s: what to do is a sentence", i.name)
		}
	}
}

func TestSkip(t *testing.T) {
	cases := []struct{ name, head, want string }{
		{"a.tar.gz", "x", "archive"}, {"charts/app.tgz", "\x1f\x8b\x08", "archive"}, {"data", "PK\x03\x04....", "archive"}, {"app.jks", "\xfe\xed\xfe\xed", "key store"}, {"app.p12", "0\x82", "key store"},
		{"logo.png", "\x89PNG\x00", "binary"}, {"a.bin", "\x00\x01", "binary"}, {"go.sum", "h1:", "lock file"}, {"web/package-lock.json", "{", "lock file"}, {"app.min.js", "x", "minified"}, {"app.js.map", `{"version":3,"mappings":"A"}`, "minified"},
		{"a.yaml", "a: b", ""}, {"a.dat", "text", ""}, {"notes.bin", "just text", ""}, {"windows.ini", "\xff\xfe[\x00d\x00b\x00]\x00", ""}, {"Dockerfile", "FROM x", ""},
	}
	for _, c := range cases {
		if got := Skip(c.name, []byte(c.head)); got != c.want {
			t.Errorf("Skip(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}

// Lock files are full of what looks random; only known formats count there.
func TestLockFilesAreReadForFormatsAlone(t *testing.T) {
	text := `{"resolved": "https://npm.internal/a.tgz?token=kd92Lq0xMw7Ra3Pz9Wm1", "secret": "kd92Lq0xMw7Ra3Pz9Wm1", "url": "https://bot:kd92Lq0xMw@npm.internal/"}`
	got := Text("package-lock.json", []byte(text))
	if len(got) != 1 || got[0].Rule != "url-credentials" {
		t.Errorf("got %+v, want the credentials in the URL alone", got)
	}
}

// Nothing that leaves the package holds a secret.
func TestMatchesHoldNoSecret(t *testing.T) {
	const secret = "kd92Lq0xMw7Ra3Pz9Wm1"
	for _, name := range []string{"a.yaml", "a.env", "a.json", "a.sh"} {
		found := Text(name, []byte("api_token=\""+secret+"\"\n"))
		if len(found) != 1 {
			t.Errorf("%s: got %d matches, want 1", name, len(found))
		}
		for _, m := range found {
			if strings.Contains(m.Rule+m.Issuer+m.Revoke+m.What, secret) {
				t.Errorf("%s: a match holds its secret", name)
			}
		}
	}
}

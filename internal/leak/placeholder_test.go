package leak

import "testing"

// Where nothing but a password can stand, a plain word is one.
func TestFillIn(t *testing.T) {
	for _, v := range []string{"", "${X}", "{{ vault }}", "<password>", "$1", "changeme", "CHANGE_ME_NOW", "your_password", "xxxxxx", "********", "PASSWORD", "true", "none", "ask", "op://vault/x", "ENC[AES256_GCM,data:x]", "/run/secrets/x", "dummy-pass"} {
		if !isFillIn(v) {
			t.Errorf("isFillIn(%q) = false", v)
		}
	}
	for _, v := range []string{"password", "pass123", "admin", "AdminPassword123", "swordfish", "hunter2", "secret", "letmein", "Passw0rd!"} {
		if isFillIn(v) {
			t.Errorf("isFillIn(%q) = true", v)
		}
	}
}

func TestPlaceholder(t *testing.T) {
	stands := []struct{ key, value string }{
		{"password", ""}, {"password", "   "}, {"password", `""`}, {"password", "${DB_PASSWORD}"}, {"password", "$DB_PASSWORD"}, {"password", "${DB_PASSWORD:-x}"},
		{"password", "$(cat /run/secrets/x)"}, {"password", "{{ .Values.password }}"}, {"password", "{{ vault_password }}"}, {"password", "<password>"}, {"password", "<your password here>"},
		{"password", "%PASSWORD%"}, {"password", "@PASSWORD@"}, {"password", "__PASSWORD__"}, {"password", "#{password}#"}, {"password", "%(db_password)s"}, {"password", "%s"}, {"password", "?"},
		{"password", "[[ password ]]"}, {"password", "<%= ENV['X'] %>"}, {"password", "!Ref DbPassword"}, {"password", "$env:DB_PASSWORD"}, {"password", "$1"}, {"password", "${"},
		{"token", "op://vault/item/field"}, {"token", "vault:secret/data/app#token"}, {"token", "ref+awsssm://x"}, {"token", "<path:secret/data/app#token>"}, {"token", "arn:aws:secretsmanager:eu-west-1:1:secret:x"},
		{"token", "/run/secrets/token"}, {"token", "file:///etc/token"}, {"token", "process.env.TOKEN"}, {"token", "os.environ['TOKEN']"}, {"token", "getenv(\"TOKEN\")"}, {"token", "projects/1/secrets/x/versions/latest"},
		{"token", "var.token"}, {"token", "module.db.password"}, {"token", "data.vault_generic_secret.x.data[\"y\"]"}, {"token", "lookup('env', 'X')"}, {"token", "config.token"},
		{"key", "ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]"}, {"key", "ENC(Zk3j2k3j)"}, {"key", "{cipher}9a8b7c"}, {"key", "$ANSIBLE_VAULT;1.1;AES256"}, {"key", "encrypted:BDc9x"},
		{"key", "-----BEGIN AGE ENCRYPTED FILE-----\nx"}, {"key", "-----BEGIN PGP MESSAGE-----\nx"}, {"key", "-----BEGIN CERTIFICATE-----\nMIIC"}, {"key", "ssh-ed25519 AAAAC3Nz me"}, {"key", "age1qyqszqgp"}, {"key", "sha256-abc="}, {"key", "sha256:9f8a"},
		{"password", "changeme"}, {"password", "CHANGE_ME"}, {"password", "replace-with-real"}, {"password", "your_password"}, {"password", "YOUR-API-KEY"}, {"password", "xxxxxxxx"}, {"password", "********"}, {"password", "secret"},
		{"password", "password123"}, {"password", "test1234"}, {"password", "example"}, {"password", "redacted"}, {"password", "123456"}, {"password", "abcdef"}, {"password", "qwerty"}, {"password", "none"}, {"password", "null"}, {"password", "true"},
		{"db_password", "db_password"}, {"DB_PASSWORD", "db-password"}, {"adminPassword", "adminpassword"}, {"api_token", "token"}, {"color", "#BF1B00"}, {"host_key", "86:71:ac:9c:35:1c:28:29:05:81:48:ec:66:67:de:bd"},
		{"token", "eyJhbGc...Qssw5c"}, {"password", "<redacted>"}, {"password", "TODO"}, {"password", "N/A"}, {"key", "tls.key"}, {"key", "config/app/id_rsa.pem"},
	}
	for _, c := range stands {
		if !Placeholder(c.key, c.value) {
			t.Errorf("Placeholder(%q, %q) = false", c.key, c.value)
		}
	}
	is := []struct{ key, value string }{
		{"password", "hunter2"}, {"password", "kd92Lq0x"}, {"password", "Tr0ub4dor&3"}, {"password", "pa$$W0rd9x"}, {"password", "$ecretKd92"}, {"password", "9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d"},
		{"url", "postgres://app:kd92Lq0x@db/app"}, {"token", "8Kd03jfKD93jfkDJ30fjd"}, {"password", "a<b>c9!kd"}, {"password", "100%Kd92"},
	}
	for _, c := range is {
		if Placeholder(c.key, c.value) {
			t.Errorf("Placeholder(%q, %q) = true", c.key, c.value)
		}
	}
}

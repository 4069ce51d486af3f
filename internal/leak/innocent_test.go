package leak

import "testing"

// TestInnocentLines holds the engine to silence on lines of real kinds that only
// look like secrets. Each stands in a file alone and is read both as text and,
// where it is name: value, as a value.
func TestInnocentLines(t *testing.T) {
	lines := []struct{ name, text string }{
		{"a.yaml", "password: String!"}, {"a.yaml", "password: &str"}, {"a.yaml", "password: \"*string\""}, {"a.yaml", "password: required|min:8|max:255"},
		{"a.yaml", "password: varchar(255)"}, {"a.yaml", "password: Optional[str]"}, {"a.yaml", "password: passwordField"}, {"a.yaml", "password: user.password"},
		{"a.yaml", "password: Пароль"}, {"a.yaml", "password: 密码"}, {"a.yaml", "password: Contraseña"}, {"messages_es.properties", `label.password=Contrase\u00f1a`},
		{"a.yaml", "password: Please enter your password"}, {"a.yaml", "password: ^(?=.*[a-z]).{8,}$"}, {"a.yaml", `password: '\d{4,}'`}, {"a.yaml", "password: v1.2.3"}, {"a.yaml", "password: 10.0.0.1:5432"},
		{"a.yaml", "password: db.internal:5432"}, {"a.yaml", "password: kv/app#password"}, {"a.yaml", "password: secret/data/prod/app#password"}, {"a.yaml", "password: postgres"}, {"a.yaml", "password: \"\""},
		{"a.yaml", "password: none"}, {"a.yaml", "password: ~"}, {"a.yaml", "password: 12345"}, {"a.yaml", "password: app-db-credentials"}, {"a.yaml", "password: AppDbCredentials"}, {"a.yaml", "password: |"},
		{"a.yaml", "secret: default-token-x8s2k"}, {"a.yaml", "secret: my-app-tls"}, {"a.yaml", "secretName: wildcard-acme-io-tls"}, {"a.yaml", "secretKey: client-secret"}, {"a.yaml", "existingSecret: redis-auth"},
		{"a.yaml", "token: csrf_token"}, {"a.yaml", "token: Bearer"}, {"a.yaml", "tokenUrl: https://id.acme.io/oauth/token"}, {"a.yaml", "token_ttl: 3600s"}, {"a.yaml", "next_page_token: CAoQAA3f9Kd83Lq0xMw7"},
		{"a.yaml", "key: app.kubernetes.io/name"}, {"a.yaml", "key: node.kubernetes.io/instance-type"}, {"a.yaml", "key: tls.crt"}, {"a.yaml", "cacheKey: v1-npm-9f8a7c6d5e4b3a2f1e0d9c8b"}, {"a.yaml", "gpg_key: A035C8C19219BA821ECEA86B64E628F8D684696D"},
		{"a.yaml", "publicKey: 9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d"}, {"a.yaml", "key_id: 9f8a7c6d5e4b3a2f"}, {"a.yaml", "apiKeyRef: {name: x, key: api-key}"}, {"a.yaml", "private_key_path: ~/.ssh/id_ed25519"},
		{"a.yaml", "ref: 9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d9f8a7c6d"}, {"a.yaml", "digest: sha256:9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d"}, {"a.yaml", "image: ghcr.io/acme/app@sha256:9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d"},
		{"a.yaml", "auth: kubernetes"}, {"a.yaml", "auth: htpasswd"}, {"a.yaml", "credentials: aws-credentials"}, {"a.yaml", "authorization: Bearer ${TOKEN}"}, {"a.yaml", "cookie: session_id"}, {"a.yaml", "salt: true"}, {"a.yaml", "seed: 42"},
		{"a.yaml", "schedule: 0 3 * * *"}, {"a.yaml", "password: ENC[AES256_GCM,data:kd92Lq0xMw==,iv:x,tag:y,type:str]"}, {"a.yaml", "token: ref+awsssm://prod/token"}, {"a.yaml", "token: op://vault/item/token"}, {"a.yaml", "token: <path:secret/data/app#token>"},
		{".env", "PASSWORD_HASHERS=django.contrib.auth.hashers.PBKDF2PasswordHasher"}, {".env", "DB_PASSWORD="}, {".env", "DB_PASSWORD=${DB_PASSWORD:?required}"}, {".env", "TOKEN_EXPIRY=2026-01-01T00:00:00Z"}, {".env", "AWS_SECRET_ACCESS_KEY_FILE=/run/secrets/aws"},
		{".env", "SESSION_DRIVER=redis"}, {".env", "JWT_ALGORITHM=RS256"}, {".env", "PASSWORD_MIN_LENGTH=12"}, {".env", "API_KEY=your-api-key-here"}, {".env", "API_KEY=xxxxxxxxxxxxxxxx"}, {".env", "API_KEY=<insert key>"}, {".env", "# DB_PASSWORD=hunter2"},
		{"a.properties", "password.encoder=org.acme.BCryptPasswordEncoder"}, {"a.properties", "user.password.reset.url=/reset"}, {"a.properties", "keystore.password.alias=server"}, {"a.properties", "error.token.invalid=The token is not valid"},
		{"a.conf", "ssl_certificate_key /etc/ssl/private/acme.key;"}, {"a.conf", "auth_basic \"Restricted area\";"}, {"a.conf", "proxy_set_header X-Token $http_x_token;"}, {"a.conf", "PasswordAuthentication no"}, {"a.conf", "HostKey /etc/ssh/ssh_host_ed25519_key"}, {"a.conf", "requirepass foobared"},
		{"a.xml", "<passwordEncoder>org.acme.Encoder</passwordEncoder>"}, {"a.xml", "<property name=\"password\" value=\"${db.password}\"/>"}, {"a.xml", "<element name=\"password\" type=\"xs:string\"/>"}, {"a.xml", "<password></password>"}, {"a.xml", "<label for=\"password\">Password</label>"}, {"a.xml", "<input type=\"password\" name=\"password\" placeholder=\"Password\"/>"},
		{"a.json", `{"password": {"type": "string", "minLength": 8}}`}, {"a.json", `{"tokenType": "JWT", "secretName": "app-9f8a7"}`}, {"a.json", `{"integrity": "sha512-9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d9f8a7c6d5e4b3a2f1e0d9c8b=="}`}, {"a.json", `{"private_key_id": "9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d9f8a7c6d"}`},
		{"a.tf", "password = var.db_password"}, {"a.tf", "password = random_password.db.result"}, {"a.tf", "token = data.vault_generic_secret.x.data[\"token\"]"}, {"a.tf", "key_name = \"deploy-2024\""}, {"a.tf", "secret_id = aws_secretsmanager_secret.x.id"},
		{"a.sh", "read -s PASSWORD"}, {"a.sh", "TOKEN=$(cat token)"}, {"a.sh", "curl -u \"$USER:$PASS\" https://x.io"}, {"a.sh", "mysql -u root -p app"}, {"a.sh", "echo \"password: $PASSWORD\""}, {"a.sh", "PASS=$1"}, {"a.sh", "--- PASS: Test/Sub1"},
		{"a.go", "password := os.Getenv(\"DB_PASSWORD\")"}, {"a.go", "const passwordKey = \"password\""}, {"a.go", "token.Pos = 12"}, {"a.js", "password: process.env.PASSWORD,"}, {"a.py", "password = getpass.getpass('Password: ')"}, {"a.java", "String password = \"password\";"},
		{"a.yaml", "checksum/secret: 9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d"}, {"a.yaml", "token: abcdef.0123456789abcdef"}, {"a.yaml", "client_secret: '$pbkdf2-sha512$310000$c8p78n7pUMln0jzvd4aK4Q$JNRBzwAo0ek5qKn50cFzzvE9RXV88h1wJn5KGiHrD0YKtZaR'"}, {"a.yaml", "secret: ZXhhbXBsZS1hcHAtc2VjcmV0"}, {"a.yaml", "MINIO_SECRET_KEY: minio123"},
		{"a.json", `{"ssh_key": "AAAAB3NzaC1yc2EAAAADAQABAAABAQC7vbqajDhA1rW8kX2nqJ0pZy4lQb"}`}, {"a.json", `{"key": "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvbqajDhA1rW8kX2nqJ0pZy4lQb"}`}, {"a.json", `{"google_analytics_key": "UA-1234567-8"}`}, {"a.json", `{"site_key": "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"}`},
		{"a.yaml", "password: Adgangskode"}, {"a.yaml", "token: Jeton"}, {"a.yaml", "secret: mysql8"}, {"a.yaml", "tokenSecret: vault42"}, {"a.yaml", "secretKey: ${KEY:/run/secrets/key}"}, {"a.conf", "password requisite pam_pwquality.so retry=3"}, {"a.conf", "passwd_chat *new*password* %n"},
		{"a.py", `"AWS::IAM::AccessKey": "62d91b17309e76c8",`}, {"a.json", `{"AWS::ApiGateway::ApiKey": "48205d4ffd7feba3"}`}, {"services", "kpasswd\t\t464/tcp"}, {"a.sh", `test "\$PWD" = "\$_OLD_PWD_2"`}, {"a.py", "params.key = 'latest2024/{0}'.format(x)"},
		{"a.json", `{"PrivateKey": "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIABAKCAQEAqKpRgnn6yq26U3yt5YFZquyukfRjbMXDcNOK4rMCxDR...fvY4+te\n-----END RSA PRIVATE KEY-----"}`}, {"a.json", `{"SessionToken": "AQoEXAMPLEH4aoAH0gNCAPyJxz4BlCFFxWNE1OPTgk5TthT"}`},
		{"locales/nl.json", `{"password": "Wachtw00rd!"}`}, {"src/messages_hu.properties", "login.password=Jelszo2!"}, {"i18n/en.yml", "password: Passw0rd?"}, {"a.yaml", "SENTRY_DSN: https://9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d@o1.ingest.sentry.io/2"}, {"a.yaml", "signature: 9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d9f8a7c6d"},
		{"README.md", "password: kd92Lq0x"}, {"README.md", "postgres://user:password@localhost/db"}, {"a.sql", "password varchar(255) NOT NULL,"}, {"a.txt", "The password is stored in Vault."}, {"a.txt", "https://acme.io/@scope/pkg@1.2.3"}, {"a.txt", "git@github.com:acme/app.git"},
	}
	for _, l := range lines {
		if got := Text(l.name, []byte(l.text+"\n")); len(got) != 0 {
			t.Errorf("%s: %q is no secret, found as %s", l.name, l.text, got[0].Rule)
		}
	}
}

package leak

import (
	"strings"
	"testing"
)

// marked takes text with «marks» around what must be found, and returns the text
// without them and the stretches that they enclosed.
func marked(t *testing.T, text string) (plain string, want [][2]int) {
	t.Helper()
	var b strings.Builder
	for text != "" {
		head, rest, ok := strings.Cut(text, "«")
		b.WriteString(head)
		if !ok {
			break
		}
		inside, tail, ok := strings.Cut(rest, "»")
		if !ok {
			t.Fatal("a mark is not closed")
		}
		want = append(want, [2]int{b.Len(), b.Len() + len(inside)})
		b.WriteString(inside)
		text = tail
	}
	return b.String(), want
}

// checkText scans text and compares with its marks.
func checkText(t *testing.T, name, text string) {
	t.Helper()
	plain, want := marked(t, text)
	got := Text(name, []byte(plain))
	for _, m := range got {
		if !contains(want, m.Start, m.End) {
			t.Errorf("%s: %s at %d:%d is no secret: %q", name, m.Rule, m.Start, m.End, plain[m.Start:m.End])
		}
	}
	for _, w := range want {
		if !covered(got, w) {
			t.Errorf("%s: not found: %q", name, plain[w[0]:w[1]])
		}
	}
}

func contains(want [][2]int, start, end int) bool {
	for _, w := range want {
		if w[0] <= start && end <= w[1] {
			return true
		}
	}
	return false
}

func covered(got []Match, want [2]int) bool {
	for _, m := range got {
		if want[0] <= m.Start && m.End <= want[1] {
			return true
		}
	}
	return false
}

func TestTextFindsSecretsInConfiguration(t *testing.T) {
	cases := []struct{ name, text string }{
		{"values-prod.yaml", "db:\n  password: «hunter2»\n  passwordSecretRef: my-db\n  existingSecret: db-credentials\n"},
		{"app.properties", "spring.datasource.password=«kX8#mq2L»\nspring.datasource.username=app\nserver.port=8080\n"},
		{"config.ini", "[mysql]\nuser = root\npassword = «trk49vbn» ; the old one\n"},
		{".env", "export API_KEY=«9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d»\nDEBUG=true\nSECRET_FILE=/run/secrets/x\nPASSWORD=${DB_PASSWORD}\n"},
		{"web.config", `<add key="DbPassword" value="«Zt5rLw9Q»" />` + "\n" + `<add key="Timeout" value="30" />`},
		{"hadoop.xml", "<property>\n  <name>javax.jdo.option.ConnectionPassword</name>\n  <value>«q8w7NNx2»</value>\n</property>\n"},
		{"settings.xml", "<server><username>ci</username><password>«Vb73kdLs0»</password></server>"},
		{"wp-config.php", "define('DB_PASSWORD', '«n0tAg00d1»');\ndefine('DB_HOST', 'localhost');\n"},
		{"config.json", `{"token": "«8Kd03jfKD93jfkDJ30fjd»", "tokenUrl": "https://x.test/token", "auth_provider": "oauth2"}`},
		{".netrc", "machine api.heroku.com login me@x.org password «swordfish»\n"},
		{".pgpass", "db.internal:5432:app:app:«swordfish»\n*:*:*:postgres:«k3yb04rd»\n"},
		{".git-credentials", "https://bot:«9fk3kdkf93kfk»@git.internal\n"},
		{".htpasswd", "admin:«$apr1$4nJkq2Zs$QWlJ3kzJvPp1nHqf9gT1e/»\n"},
		{"shadow", "root:«$6$saltsalt$" + strings.Repeat("aB3./x", 15) + "»:18000:0:99999:7:::\ndaemon:*:18000:0:99999:7:::\n"},
		{"docker-compose.yml", "environment:\n  - MYSQL_ROOT_PASSWORD=«pr0d-9x7Kq»\n  - MYSQL_USER=app\n"},
		{"deploy.yaml", "env:\n- name: DB_PASSWORD\n  value: «xk29-Lq!8»\n- name: DB_USER\n  value: app\n"},
		{"x.conf", "url = \"postgres://app:«s3rk9dkf0»@db.internal:5432/app\"\n"},
		{"x.service", "Environment=\"DB_PASSWORD=«kf93kfkLq»\"\nEnvironment=GREETING=hello\n"},
		{"hosts.ini", "web1 ansible_host=10.0.0.1 ansible_password=«Kd93lq0x» ansible_user=root\n"},
		{"redis.conf", "requirepass «f00b4rb4z99x»\nport 6379\n"},
		{"conn.config", `connectionString="Server=db;Database=x;User Id=sa;Password=«Hk29dk!q»;Encrypt=true"`},
		{"home/.git-credentials", "https://amy@x.io:«kd!#92@Lq»@git.internal\nhttps://git.internal\n"},
		{"sasl_passwd", "# relay login\n[smtp.x.io]:587 amy@x.io:«swordfish»\n"},
		{"etc/ipsec.secrets", "# : PSK \"kd92Lq0x\"\n10.0.0.1 10.0.0.2 : PSK \"«swordfish»\"\n: RSA key.pem\namy : EAP \"«kd92Lq0x»\"\n"},
		{"home/.netrc", "machine x.io login amy password «pass123»\nmachine y.io login amy password ${NETRC_PASSWORD}\n"},
		{"home/.pgpass", "db:5432:app:root:«password»\ndb:5432:app:app:changeme\n"},
		{".pgpass.example", "db:5432:app:root:password\n"},
		{"ventrilo_srv.ini", "[Server]\nAdminPassword=«AdminPassword123»\nPassword=YOUR_PASSWORD\nAuth=1\n"},
		{"dbeaver-data-sources.xml", `<data-source save-password="true"><connection user="app" password="«password»"/></data-source>`},
		{".npmrc", "//npm.example.com/:always-auth=true\n_auth = «YWRtaW46YWRtaW4=»\n"},
		{".bash_profile", "export MLAB_PASS='«password123»'\nexport RDS_PASSWORD='dummy-pass'\nalias p='pass show mail'\npass insert mail\nexport PASS=$1\n"},
		{"app.toml", "dsn = \"app:«kd92Lq0x»@tcp(db:3306)/app?charset=utf8\"\nother = \"app:password@tcp(db:3306)/app\"\n# old = \"app:kd92Lq0x@tcp(db:3306)/app\"\n"},
		{"variables.tf", "variable \"admin_password\" {\n  type    = string\n  default = \"«kd92Lq0x»\"\n}\nvariable \"db_password\" {\n  description = \"kd92Lq0x\"\n  sensitive   = true\n}\n"},
		{"web.xml", "<context-param><param-name>password</param-name><param-value>«kd92Lq0x»</param-value></context-param>\n<property name=\"password\"><value>«Mw7Ra3Pz»</value></property>\n<property name=\"password\"><ref bean=\"pw\"/></property>\n"},
		{"etc/redis.conf", "requirepass «gdicvkazgb»\nmasterauth «swordfish»\nrequirepass foobared\n"},
		{"gibberish.properties", "db.password=«qwzr-xkvpjt»\nftp.password=«vkzq_wxbhg_tqzs»\nmail.password=app-mail-login\nsecret=traefik-tls\n"},
		{"short.yaml", "api_key: «qwe456»\nsecret: «xk29fz»\nregistry_secret: mysql8\ntoken: v1beta1\n"},
		{"hiera/common.yaml", "profile::db::password: «kd92Lq0x»\nprofile::db::user: app\n"},
		{"conf/server.xml", "<Resource username=\"shop\" password=\"«swordfish»\" />\n<Resource username=\"shop\" password=\"shop\" />\n<Resource password=\"swordfish\" />\n<username>ci</username>\n<password>«swordfish»</password>\n<username>${env.CI}</username>\n<password>swordfish</password>\n"},
		{"mail.env", "GMAIL_APP_PASSWORD=\"«nmav kmfy uqgv tkmk»\"\nGMAIL_APP_PASSWORD=\"abcd efgh ijkl mnop\"\nMAIL_PASSWORD=\"this will make sure\"\n"},
		{"fallback.yml", "jwt:\n  secret: «${JWT_SECRET:kd92Lq0xMw7Ra3Pz}»\n  token: ${TOKEN:?must be set}\n  password: ${PASSWORD:-changeme}\n  key: ${KEY:/run/secrets/key}\n"},
		{"mongoid.yml", "uri: mongodb://testuser:«testpass»@ds048537.mongolab.com:48537/main\nuri: mongodb://testuser:testpass@mongo/main\nuri: mongodb://user:password@ds048537.mongolab.com/main\n"},
		{"wp-config.php", "define('NONCE_KEY', '«}Fi>>0a{> akEdJ1K3c}([(:x;K[)ZQ3F3cttcpd EFORd.%R|*|rdRs#-L-&)P1»');\ndefine('AUTH_SALT', '«j@cGIZJfObpPU);AZgYH5,ubbSlUp|ZnLZNlq|;tkFe5xc(=_0[LKbF71T.EE ~9»');\n"},
		{"k.yaml", "password: password\ntoken: csrf_token\nkey: app.kubernetes.io/name\nsecretKey: my-secret-name\nPASSWORD: changeme\npassword: passwordField\nimage: x@sha256:abc\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { checkText(t, c.name, c.text) })
	}
}

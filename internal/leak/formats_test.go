package leak

import (
	"strings"
	"testing"
)

// The values below are made up; those of formats with a checksum are put
// together while the test runs.

func TestFormats(t *testing.T) {
	pem := "-----BEGIN RSA PRIVATE KEY-----\n" + strings.Repeat("MIIEowIBAAKCAQEAp7T84Nzd5y54a0qEFNeCXIDoz4LdfQqB2MloSl6aicKFRX7Y\n", 4) + "-----END RSA PRIVATE KEY-----"
	cases := []struct{ name, text string }{
		{".bash_profile", "export PATH=$PATH:/usr/local/bin\nexport GITHUB_PW=«kd92Lq0x»\nexport MAIL_PASSWORD='«Qx7-kd92Lq»'\nalias ll='ls -l'\n"},
		{".bashrc", "export SLACK_API_TOKEN=«" + "xoxp-" + "858723095049-581481478633-908968721956-f16b85d1f73ef37c02323bf3fd537ea5»\nexport EDITOR=vim\n"},
		{".docker/.dockercfg", `{"https://images.example.com/v1/": {"auth": "«X21kZG9rZXI6UWE3NGtkOTI=»", "email": "a@b.org"}}`},
		{".docker/config.json", `{"auths": {"registry.internal:5000": {"auth": "«Ym90OmtkOTItTHEwbXg=»"}}, "HttpHeaders": {"User-Agent": "Docker-Client/19.03"}}`},
		{"logins.json", `{"logins":[{"hostname":"https://x.org","httpRealm":null,"encryptedUsername":"«MDIEEPgAAAAAAAAAAAAAAAAAAAEwFAYIKoZIhvcNAwcECJYdkq93kd»","encryptedPassword":"«MEIEEPgAAAAAAAAAAAAAAAAAAAEwFAYIKoZIhvcNAwcECJYdkq93kdLLqkz»","guid":"{b3d2a1e0-1111-4222-8333-444455556666}"}]}`},
		{"id_rsa", "«" + pem + "»\n"},
		{"cloud/.credentials", "[default]\naws_access_key_id = «" + "AKIA" + "IOSFODNN7QWERTZ2»\naws_secret_access_key = «wJalrXUtnFEMIzK7MDENGzbPxRfiCYzK92LqPdWm»\nregion = eu-west-1\n"},
		{"cloud/.s3cfg", "[default]\naccess_key = «kd92Lq0xMw7Ra3Pz»\nsecret_key = «wJalrXUtnFEMIzK7MDENGzbPxRfiCYzK92LqPdWm»\nbucket_location = US\ngpg_passphrase = «kd92-Lq0x»\nuse_https = True\n"},
		{"cloud/.tugboat", "authentication:\n  client_key: «4f1f0a7b2c3d4e5f6a7b8c9d0e1f2a3b»\n  api_key: «9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d»\nssh:\n  ssh_user: root\n  ssh_key_path: ~/.ssh/id_rsa\n"},
		{"cloud/heroku.json", `{"HEROKU_API_KEY": "«9f3c1a7e-5b2d-4c8a-9e1f-7d6b5a4c3e2f»", "HEROKU_APP": "web"}`},
		{"db/dump.sql", "INSERT INTO `users` VALUES (1,'amy','«$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy»','amy@x.org');\n"},
		{"db/users.sql", "CREATE TABLE `people` (\n  `id` int NOT NULL,\n  `mail` varchar(99),\n  `pass` varchar(255) DEFAULT '',\n  PRIMARY KEY (`id`)\n);\nINSERT INTO `people` VALUES (1,'a@x.org','«9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d»'),(2,'b''s, @x.org','«kd92Lq0x»'),\n(3,NULL,'«9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d9f8a7c6d»');\nINSERT INTO log (id, hash) VALUES (1,'9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d');\n"},
		{"db/pg.sql", "COPY public.accounts (id, name, api_token, created) FROM stdin;\n1\tamy\t«kd92Lq0xMw7Ra3Pz»\t2026-01-01\n2\tbob\t\\N\t2026-01-01\n\\.\nSELECT 1;\n"},
		{"db/mongoid.yml", "production:\n  sessions:\n    default:\n      uri: mongodb://app:«kd92Lq0xMw»@ds01.mlab.com:4001/app\n      options:\n        password: «Qx7kd92»\n"},
		{"db/robomongo.json", `{"connections":[{"serverHost":"db1","credentials":[{"userName":"root","userPassword":"«kd92Lq0xMw»","mechanism":"SCRAM-SHA-1"}]}]}`},
		{"filezilla/recentservers.xml", "<Server>\n<Host>10.0.0.1</Host>\n<User>deploy</User>\n<Pass encoding=\"base64\">«a2Q5MkxxMHhNdw==»</Pass>\n<Logontype>1</Logontype>\n</Server>\n"},
		{"putty-example.ppk", "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nPublic-Lines: 1\nAAAAB3NzaC1yc2EAAAABJQAAAQEA\n«Private-Lines: 2\nAAABAFp7T84Nzd5y54a0qEFNeCXIDoz4LdfQqB2MloSl6aicKFRX7Y8kdLq0xMw7\nAAABAFp7T84Nzd5y54a0qEFNeCXIDoz4LdfQqB2MloSl6aicKFRX7Y8kdLq0xMw7»\nPrivate-MAC: 1234567890abcdef1234567890abcdef12345678\n"},
		{"proftpdpasswd", "ftp1:«$1$kd92Lq0x$9hJ8kLmN2pQrStUvWxYz01»:1001:1001::/home/ftp:/bin/false\n"},
		{"config/master.key", "«9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d»\n"},
		{"config/secrets.yml", "production:\n  secret_key_base: «3b7cd727ee24e8444053437c36cc66c3b3b7cd727ee24e8444053437c36cc66c4»\ndevelopment:\n  secret_key_base: <%= ENV['SECRET_KEY_BASE'] %>\n"},
		{"public_html/config.php", "<?php\n$dbuser = 'app';\n$dbpasswd = '«kd92Lq0x»';\n$table_prefix = 'phpbb_';\n"},
		{"wp-config.php", "define( 'AUTH_KEY',         '«k;3~dV|R9-Zt{4]*Ly8@mQ^w6c+#5uB!nPz2 x7FhJ0s&eG1aT%iWb=oEqvUKSX»' );\ndefine( 'NONCE_SALT', '«9Wm,Zr;uE2!dq(k#7R$xvB1]Jt@6y^Ls0Pz%gN4&Hf*c8aXo>Tb3iV+QeS5nKUC»' );\n$table_prefix = 'wp_';\ndefine( 'DB_CHARSET', 'utf8' );\n"},
		{"ventrilo_srv.ini", "[Server]\nName=Vent\nPort=3784\nPassword=«kd92Lq0x»\nAdminPassword=«Mw7Ra3Pz»\n"},
		{".esmtprc", "hostname = smtp.x.org:587\nusername = me\npassword = \"«kd92Lq0x»\"\nstarttls = enabled\n"},
		{".ftpconfig", "{\n \"protocol\": \"ftp\",\n \"user\": \"deploy\",\n \"pass\": \"«kd92Lq0x»\",\n \"passphrase\": \"«Qx7-kd92Lq»\",\n \"remote\": \"/\"\n}\n"},
		{".idea/WebServers.xml", `<fileTransfer host="10.0.0.1" port="22" password="«dff9dfdddf8edff8dfcc»" username="deploy">`},
		{".npmrc", "//registry.internal/:_authToken=«8d3c1f0e-77aa-4b1c-9e2d-0f1a2b3c4d5e»\n_auth = «Ym90OmtkOTItTHEwbXg=»\n//npm.x.org/:_password=«a2Q5MkxxMHhNdw==»\nemail=a@b.org\n"},
		{".remote-sync.json", `{"hostname":"10.0.0.1","port":"22","username":"deploy","password":"«kd92Lq0x»","keyfile":"~/.ssh/id_rsa"}`},
		{".pypirc", "[pypi]\nusername = bot\npassword = «kd92Lq0xMw»\nrepository = https://pypi.example.com/legacy/\n"},
		{"jenkins/credentials.xml", "<username>ci</username>\n<password>«{AQAAABAAAAAQKd92Lq0xMw7Ra3Pz9Wm1Zr2uE3dq4k5R=}»</password>\n<description>deploy</description>\n"},
		{"client.ovpn", "remote vpn.x.org 1194\nauth SHA256\ncipher AES-256-GCM\n<key>\n«" + pem + "»\n</key>\nkey-direction 1\n«-----BEGIN OpenVPN Static key V1-----\n" + strings.Repeat("9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d\n", 16) + "-----END OpenVPN Static key V1-----»\n"},
		{"irssi.config", "  freenode = {\n    type = \"IRC\";\n    autosendcmd = \"/^msg nickserv ident «kd92Lq0x»;wait 2000\";\n  };\n  password = \"«Mw7Ra3Pz»\";\n"},
		{"accounts.xml", "<account>\n<protocol>prpl-jabber</protocol>\n<name>me@x.org</name>\n<password>«kd92Lq0x»</password>\n</account>\n"},
		{".muttrc", "set imap_user = 'me@x.org'\nset imap_pass = '«kd92Lq0x»'\nset smtp_pass=\"«Mw7Ra3Pz»\"\nset sort=threads\n"},
		{"wg0.conf", "[Interface]\nAddress = 10.0.0.2/24\nPrivateKey = «yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=»\n[Peer]\nPublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\nPresharedKey = «FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=»\nAllowedIPs = 0.0.0.0/0\n"},
		{"terraform.tfstate", "\"attributes\": {\n \"password\": \"«kd92Lq0xMw!»\",\n \"username\": \"app\",\n \"arn\": \"arn:aws:rds:eu-west-1:123456789012:db:x\"\n}\n"},
		{"terraform.tfvars", "db_password = \"«kd92Lq0xMw»\"\nregion = \"eu-west-1\"\ndb_password_ref = \"prod/db\"\n"},
		{"sa.json", `{"type": "service_account", "project_id": "x", "private_key_id": "9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d9f8a7c6d", "private_key": "«` + strings.ReplaceAll(pem, "\n", `\n`) + `»", "client_email": "x@y.iam.gserviceaccount.com"}`},
		{"kubeconfig", "users:\n- name: admin\n  user:\n    client-certificate-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUM=\n    client-key-data: «LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlFb3dJQkFBS0NBUUVBcDdUODROemQ1eTU0YTBxRUZOZUNYSURvejRMZGZRcUIyTWxvU2w2YWljS0ZSWDdZClktLS0tLQo=»\n    token: «kd92Lq0xMw7Ra3Pz9Wm1Zr2uE3dq4k5R»\n"},
		{"app.properties", "jdbc.url=jdbc:mysql://db:3306/app?user=app&password=«kd92Lq0x»&useSSL=false\njdbc.url2=jdbc:postgresql://db/app\njdbc.oracle=jdbc:oracle:thin:app/«kd92Lq0x»@db:1521/x\n"},
		{"appsettings.json", `{"ConnectionStrings": {"Default": "Server=tcp:db,1433;Initial Catalog=x;User ID=sa;Password=«kd92-Lq0x!»;Encrypt=True;"}, "Logging": {"LogLevel": "Warning"}}`},
		{"x.env", "REDIS_URL=redis://:«kd92Lq0x»@redis:6379/0\nAMQP_URL=amqp://app:«kd92Lq0x»@mq:5672/%2f\nMONGO=mongodb+srv://app:«kd92Lq0x»@c0.mongodb.net/x\nBASE_URL=https://x.org/a@b\n"},
		{"nginx.conf", "proxy_set_header Authorization \"Basic «Ym90OmtkOTItTHEwbXg=»\";\nproxy_set_header X-Api-Key «9f8a7c6d5e4b3a2f1e0d»;\n"},
		{"user-data.yaml", "#cloud-config\nusers:\n  - name: ops\n    passwd: «$6$rounds=4096$kd92Lq0x$" + strings.Repeat("aB3./xZ", 12) + "ab»\nchpasswd:\n  list: |\n    root:«kd92Lq0x»\n    ubuntu:«Mw7Ra3Pz»\n"},
		{"inventory", "[web]\nweb1 ansible_user=ops ansible_ssh_pass=«kd92Lq0x» ansible_become_pass='«Mw7Ra3Pz»'\n"},
		{"group_vars/all.yml", "ansible_become_password: «kd92Lq0x»\nmysql_root_password: \"{{ vault_mysql }}\"\nvault_password_file: .vault_pass\n"},
		{"docker-compose.yml", "services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: «kd92Lq0x»\n      POSTGRES_USER: app\n      POSTGRES_PASSWORD_FILE: /run/secrets/db\n    command: redis-server --requirepass «Mw7Ra3Pz»\n"},
		{"run.sh", "mysql -u root -p«kd92Lq0x» app\nPGPASSWORD=«Mw7Ra3Pz» psql -h db\ncurl -u bot:«Qx7-kd92Lq» https://x.org/api\ncurl -H \"Authorization: Bearer «kd92Lq0xMw7Ra3Pz9Wm1»\" https://x.org\nread -s PASSWORD\ncurl -u \"$USER:$PASS\" https://x.org\nsshpass -p «Mw7Ra3Pz» ssh x\n"},
		{"setup.sql", "CREATE USER 'app'@'%' IDENTIFIED BY '«kd92Lq0x»';\nALTER ROLE app WITH PASSWORD '«Mw7Ra3Pz»';\nSET PASSWORD FOR 'x' = PASSWORD('«kd92Lq0xZ»');\n"},
		{"router.cfg", "enable secret 5 «$1$kd92$9hJ8kLmN2pQrStUvWxYz01»\nusername ops password 7 «0822455D0A16544541»\nsnmp-server community «kd92Lq0x» RO\n"},
		{"Dockerfile", "FROM alpine\nENV DB_PASSWORD «kd92Lq0x»\nENV API_TOKEN=«9f8a7c6d5e4b3a2f1e0d»\nARG TOKEN\n"},
		{"pom-settings.xml", "<property name=\"hibernate.connection.password\">«kd92Lq0x»</property>\n<property name=\"password\" value=\"«Mw7Ra3Pz»\"/>\n<property name=\"password\" value=\"${db.password}\"/>\n"},
		{"Info.plist", "<key>APIKey</key>\n<string>«9f8a7c6d5e4b3a2f1e0d»</string>\n<key>Name</key>\n<string>App</string>\n"},
		{"strings.xml", "<string name=\"api_key\">«9f8a7c6d5e4b3a2f1e0d»</string>\n<string name=\"password_hint\">Enter password</string>\n"},
		{"settings.py.conf", "SECRET_KEY = '«k3$dq!9w#m2z@x8v&p5r^t7y*u4i(o0a)s6d-f1g»'\nCSRF_COOKIE_SECURE = True\n"},
		{"session.ini", "cookie_secret = «kd92Lq0xMw7Ra3Pz9Wm1Zr2uE3dq4k5R»\nsession_name = app\n"},
		{"config.js", "module.exports = {\n  password: '«kd92Lq0xMw»',\n  token: process.env.TOKEN,\n  secret: config.secret,\n};\n"},
		{"salesforce.js", "conn.login('me@x.org', '«kd92Lq0x»', function(err) {\n"},
		{"config.rb", "config.api_key = \"«9f8a7c6d5e4b3a2f1e0d»\"\nvalidates :password, presence: true\n"},
		{"hexchat.conf", "N=freenode\nP=«kd92Lq0x»\nE=UTF-8\n"},
		{".aws/config.toml", "[auth]\nclient_secret = \"«kd92Lq0xMw7Ra3Pz9Wm1»\"\nclient_id = \"kd92Lq0xMw7Ra3Pz9Wm1\"\n"},
		{"telegraf.conf", "  token = \"«kd92Lq0xMw7Ra3Pz9Wm1Zr2uE3dq4k5RkkkdLqmm==»\"\n  organization = \"x\"\n"},
		{".vscode/sftp.json", `{"username": "deploy", "password": "«swordfish»", "privateKeyPath": "~/.ssh/id_rsa", "passphrase": "${PASS}"}`},
		{".fetchmailrc", "poll mail.x.org protocol imap\n  user \"amy\" with password \"«swordfish»\" is amy here\n"},
		{"ppp/chap-secrets", "# client server secret\nisp * \"«kd92Lq0x»\" *\n"},
		{"etc/rsyncd.secrets", "backup:«kd92Lq0x»\n"},
		{".htdigest", "amy:private area:«9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d»\n"},
		{"haproxy.cfg", "  stats auth admin:«kd92Lq0x»\n  stats uri /stats\n"},
		{"pgbouncer/userlist.txt", "\"app\" \"«md5c0ffee9f8a7c6d5e4b3a2f1e0d9c8b7a»\"\n\"rep\" \"«kd92Lq0x»\"\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { checkText(t, c.name, c.text) })
	}
}

func TestWideText(t *testing.T) {
	plain, want := marked(t, "[db]\r\npassword=«kd92Lq0x»\r\n")
	for _, order := range []int{0, 1} {
		data := []byte{0xff, 0xfe}
		if order == 0 {
			data = []byte{0xfe, 0xff}
		}
		for i := range len(plain) {
			unit := []byte{0, 0}
			unit[1-order] = plain[i]
			data = append(data, unit...)
		}
		got := Text("app.ini", data)
		if len(got) != 1 || got[0].Start != 2+2*want[0][0] || got[0].End != 2+2*want[0][1] {
			t.Errorf("byte order %d: got %d matches", order, len(got))
		}
	}
}

package main

// mixedFiles hold what other scanners leave and the engine reads without taking a
// file apart: plain passwords in formats of their own, letters without digits,
// fallbacks of templates, recorded traffic; and beside them what healthy files of
// the same kinds are full of.
var mixedFiles = []layout{
	{"fallbacks", "config/application.yml", `spring:
  datasource:
    password: ${DB_PASSWORD:{+pw}}
!    username: ${DB_USER:shop}
jwt:
  secret: ${JWT_SECRET:{+hex64}}
!  key-store: ${KEY_STORE:classpath:keystore.jks}
!  token: ${TOKEN:?must be set}
!  password: ${PASSWORD:-changeme}
`},
	{"gibberish", "config/app.properties", `db.password={+gibberish}
ftp.password={+gibberish}
smtp.pass={+gibberish}
!mail.password=app-mail-login
!tls.secret=traefik-wildcard-tls
api.key={+short}
!secret.name=mysql8
`},
	{"DSN", "config.toml", `dsn = "app:{+plainpw}@tcp(db.internal:3306)/app?charset=utf8"
!example = "user:password@tcp(db.internal:3306)/app"
!plain = "tcp(db.internal:3306)/app"
`},
	{"Terraform", "variables.tf", `variable "admin_password" {
  type    = string
  default = "{+plainpw}"
}
variable "db_password" {
!  description = "{-hex32}"
  sensitive   = true
}
`},
	{"web applications", "web.xml", `<context-param><param-name>password</param-name><param-value>{+plainpw}</param-value></context-param>
<property name="password"><value>{+plainpw}</value></property>
!<property name="password"><ref bean="dbPassword"/></property>
!<param-name>password-encoder</param-name><param-value>bcrypt2</param-value>
`},
	{"mail", "sasl_passwd", "[smtp.internal]:587 relay@acme.internal:{+pw}\n!# [host]:port user:password\n"},
	{"VPN", "ipsec.secrets", "10.0.0.1 10.0.0.2 : PSK \"{+pw}\"\namy : EAP \"{+plainpw}\"\n!: RSA gateway.pem\n!# : PSK \"secret\"\n"},
	{"plain words", ".netrc", "machine git.internal login amy password {+word}\n!machine x.internal login amy password ${NETRC_PASSWORD}\n"},
	{"plain words", ".pgpass", "db.internal:5432:app:app:{+word}\n!db.internal:5432:app:app:changeme\n"},
	{"plain words", "ventrilo_srv.ini", "[Server]\nPassword={+word}\nAdminPassword={+word}12\n!Auth=1\n!Name=Server\n"},
	{"plain words", "dbeaver-data-sources.xml", "<data-source save-password=\"true\">\n<connection user=\"app\" password=\"{+word}\"/>\n!<connection user=\"app\" password=\"${DB_PASSWORD}\"/>\n</data-source>\n"},
	{"recorded traffic", "cassettes/login.yml", `http_interactions:
- request:
    uri: https://bot:{+plainpw}@api.internal/v1
!    id: {-uuid}
    body:
      string: grant_type=password&client_secret={+hex32}
    headers:
      Authorization:
      - Basic {+userpass64}
!      X-Request-Id:
!      - {-uuid}
!      Etag:
!      - W/"{-hex32}"
  response:
    body:
      string: '{"access_token":"{+strong}","token_type":"bearer"}'
`},
	{"Kubernetes", "bytes.yaml", `apiVersion: v1
kind: Secret
metadata: {name: keys}
data:
  encryption-key: {+bytes64}
!  logo.png: {-bytes64}
!  host: {-word64}
`},
	{"anchors", "database.yml", `default: &default
  username: shop
  password: {+plainpw}
development:
!  <<: *default
test:
!  <<: *default
`},
	{"code", "package.json", `{
!  "dependencies": {"js-tokens": "^4.0.0", "minipass": "^7.1.2"},
!  "keywords": ["password", "secret", "token"],
!  "resolved": "https://npm.example.com/@scope/token/-/token-1.2.3.tgz",
!  "integrity": "sha512-{-b64}",
!  "ssh_key": "AAAAB3NzaC1yc2EAAAADAQABAAABAQ{-hex32}"
}
`},
}

package main

import "slices"

// layouts lists all files of the set.
func layouts() []layout {
	return slices.Concat(applicationFiles, urlFiles, kubernetesFiles, toolFiles, serverFiles, tokenFiles, mixedFiles)
}

var applicationFiles = []layout{
	{"YAML", "config/application-prod.yml", `spring:
  datasource:
    url: jdbc:postgresql://db.internal:5432/app
    username: app
    password: {+pw}
  mail:
    host: smtp.internal
    password: "{+pw}"
app:
!  password-encoder: bcrypt
!  passwordField: password
!  token-header: X-Auth-Token
  jwt:
    secret: {+strong}
!    issuer: https://id.internal/realms/app
  api-key: {+hex32}
!  secret-name: app-credentials
!  commit: {-hex40}
!  checksum: {-hex64}
`},
	{"YAML", "settings.yaml", `database:
  user: svc
  pass: '{+pw}'
redis:
  auth_token: {+hex64}
!  token_ttl: 3600
oauth:
!  client_id: {-uuid}
  client_secret: {+uuid}
!  token_url: https://id.internal/oauth/token
!  password_policy: strict
!  keys: [id, name, password]
!admin_password: "{{ vault_admin_password }}"
!root_password: ${ROOT_PASSWORD}
!key: node-role.kubernetes.io/control-plane
!secretKey: database-password
!auth: basic
`},
	{"properties", "src/main/resources/app.properties", `db.url=jdbc:mysql://db:3306/shop
db.user=shop
db.password={+pw}
!db.password.file=/run/secrets/db
mail.smtp.password = {+pw}
keystore.password={+pw}
!keystore.path=classpath:keystore.jks
security.jwt.secret={+b64}
!security.token.expiration=86400
aws.secretKey={+awssecret}
!message.password.invalid=The password is not valid
!label.password=Password
!encryption.algorithm=AES/CBC/PKCS5Padding
!hibernate.cache.key=com.acme.cache.KeyGenerator
`},
	{"INI", "app.ini", `[database]
HOST = db:3306
USER = git
PASSWD = {+pw}
[security]
SECRET_KEY = {+strong}
INTERNAL_TOKEN = {+strong}
!PASSWORD_HASH_ALGO = pbkdf2
!MIN_PASSWORD_LENGTH = 8
!INSTALL_LOCK = true
[mailer]
PASSWD = ` + "`{+pw}`" + `
!FROM = noreply@acme.internal
[oauth2]
JWT_SECRET = {+hex64}
!ACCESS_TOKEN_EXPIRATION_TIME = 3600
`},
	{"dotenv", ".env.production", `NODE_ENV=production
DB_PASSWORD={+pw}
DB_USERNAME=app
APP_KEY=base64:{+b64}
MAIL_PASSWORD="{+pw}"
STRIPE_SECRET={+stripe}
!STRIPE_PUBLIC={-stripepub}
SESSION_SECRET={+hex32}
!SESSION_DRIVER=redis
!PASSWORD_RESET_URL=https://acme.internal/reset
!SECRET_FILE=/run/secrets/app
!API_TOKEN=${TOKEN_FROM_CI}
!ADMIN_PASSWORD=changeme
!CSRF_TOKEN_NAME=csrf_token
export GITHUB_TOKEN={+github}
`},
	{"JSON", "deploy/settings.json", `{
  "Db": {
    "User": "app",
    "Password": "{+pw}"
  },
  "Jwt": {
    "SigningKey": "{+b64}",
!    "Issuer": "acme",
!    "TokenLifetime": "01:00:00"
  },
  "apiKey": "{+hex32}",
!  "passwordRegex": "^(?=.*[a-z]).{8,}$",
!  "tokenType": "Bearer",
!  "integrity": "sha512-{-b64}",
!  "id": "{-uuid}",
  "smtp": {"user": "bot", "pass": "{+pw}"},
!  "secretRef": "prod/app",
!  "publicKey": "{-b64}"
}
`},
	{"XML", "web.config", `<configuration>
  <appSettings>
    <add key="SmtpPassword" value="{+pw}" />
    <add key="ApiSecret" value="{+strong}" />
!    <add key="PasswordMinLength" value="8" />
!    <add key="TokenProvider" value="Acme.Auth.TokenProvider, Acme.Auth" />
  </appSettings>
  <connectionStrings>
    <add name="Default" connectionString="Server=db;Database=shop;User Id=sa;Password={+plainpw};Encrypt=true" />
!    <add name="Local" connectionString="Server=db;Integrated Security=SSPI" />
  </connectionStrings>
</configuration>
`},
	{"XML", "context.xml", `<Context>
  <Resource name="jdbc/app" username="app" password="{+plainpw}" driverClassName="org.postgresql.Driver" />
  <bean id="ds"><property name="password" value="{+plainpw}"/></bean>
!  <bean id="ds2"><property name="password" value="${db.password}"/></bean>
  <server><id>releases</id><username>ci</username><password>{+plainpw}</password></server>
!  <password>{DESede}</password>
!  <element name="password" type="xs:string"/>
!  <passwordEncoder>org.acme.BCryptEncoder</passwordEncoder>
</Context>
`},
	{"TOML", "config.toml", `[auth]
client_secret = "{+strong}"
!client_id = "{-hex32}"
!token_endpoint = "https://id.internal/token"
[database]
password = "{+pw}"
!password_file = "/etc/app/db"
[metadata]
!"checksum" = "{-hex64}"
`},
	{"Terraform", "prod.tfvars", `db_password = "{+pw}"
!db_password_secret_name = "prod-db"
api_token   = "{+strong}"
!kms_key_id  = "arn:aws:kms:eu-west-1:123456789012:key/{-uuid}"
!instance_class = "db.t3.medium"
`},
	{"Terraform", "main.tf", `resource "aws_db_instance" "x" {
  username = "app"
  password = "{+plainpw}"
!  kms_key_id = var.kms_key
}
resource "aws_db_instance" "y" {
!  password = var.db_password
!  password = random_password.db.result
!  password = data.aws_secretsmanager_secret_version.x.secret_string
}
`},
	{"Terraform", "terraform.tfstate", `{
  "resources": [{"type": "random_password", "instances": [{"attributes": {
    "result": "x",
    "password": "{+pw}",
!    "secret_arn": "arn:aws:secretsmanager:eu-west-1:1:secret:prod",
!    "key_name": "deploy",
    "master_password": "{+plainpw}"
  }}]}]
}
`},
	{"PHP", "wp-config.php", `<?php
define( 'DB_NAME', 'wp' );
define( 'DB_PASSWORD', '{+plainpw}' );
!define( 'DB_CHARSET', 'utf8mb4' );
define( 'AUTH_KEY',   '{+salt64}' );
define( 'NONCE_SALT', '{+salt64}' );
!define( 'AUTH_SALT',  'put your unique phrase here' );
!$table_prefix = 'wp_';
`},
	{"PHP", "config.php", `<?php
return [
  'db' => ['user' => 'app', 'password' => '{+plainpw}'],
!  'mail' => ['password' => getenv('MAIL_PASSWORD')],
  'app_secret' => '{+hex32}',
!  'password_hash' => PASSWORD_BCRYPT,
];
`},
}

var urlFiles = []layout{
	{"URLs", "urls.env", `DATABASE_URL=postgres://app:{+plainpw}@db.internal:5432/app
REDIS_URL=redis://:{+plainpw}@redis.internal:6379/0
CELERY_BROKER=amqp://app:{+plainpw}@mq.internal:5672//
MONGO_URI=mongodb+srv://app:{+plainpw}@cluster0.mongodb.net/app
!DOCS_URL=https://user:password@acme.internal/
!PROXY_URL=http://${PROXY_USER}:${PROXY_PASS}@proxy.internal:3128
!PUBLIC_URL=https://acme.internal/@scope/pkg
!SENTRY_URL=https://acme.internal/api/1/envelope
`},
	{"URLs", "jdbc.properties", `url=jdbc:mysql://db:3306/x?user=app&password={+plainpw}&useSSL=true
oracle=jdbc:oracle:thin:app/{+plainpw}@db.internal:1521/x
!plain=jdbc:postgresql://db:5432/x?sslmode=require
ado=Server=tcp:db,1433;User ID=sa;Password={+plainpw};Encrypt=True
!templ=jdbc:mysql://db/x?user=app&password=${DB_PASSWORD}
`},
	{"URLs", ".git-credentials", `https://bot:{+github}@github.com
https://oauth2:{+plainpw}@git.internal
!https://github.com/acme/app.git
`},
}

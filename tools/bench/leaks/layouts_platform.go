package main

var kubernetesFiles = []layout{
	{"Kubernetes", "secret.yaml", `apiVersion: v1
kind: Secret
metadata:
  name: app
!  uid: {-uuid}
type: Opaque
data:
  password: {+pw64}
  api-token: {+strong64}
!  username: {-word64}
!  ca.crt: {-cert64}
  tls.key: {+key64}
`},
	{"Kubernetes", "secret-stringdata.yaml", `apiVersion: v1
kind: Secret
metadata: {name: app}
stringData:
  DB_PASSWORD: {+plainpw}
  GITHUB_TOKEN: {+github}
!  DB_USER: app
!  DB_HOST: db.internal
`},
	{"Kubernetes", "deployment.yaml", `apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
      - name: app
!        image: registry.internal/app@{-sha256}
        env:
        - name: DB_PASSWORD
          value: {+plainpw}
        - name: DB_PASS_FROM
!          valueFrom: {secretKeyRef: {name: app, key: db-password}}
        - name: API_KEY
          value: "{+hex32}"
!        - {name: TOKEN_PATH, value: /var/run/secrets/token}
`},
	{"Kubernetes", "external-secret.yaml", `apiVersion: external-secrets.io/v1
kind: ExternalSecret
spec:
  secretStoreRef: {name: vault, kind: ClusterSecretStore}
  data:
!  - secretKey: password
!    remoteRef: {key: prod/app, property: db-password}
!  - secretKey: api_token
!    remoteRef: {key: "{-uuid}", property: token}
`},
	{"Kubernetes", "sealed.yaml", `apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
spec:
  encryptedData:
!    password: {-sealed}
!    token: {-sealed}
`},
	{"Kubernetes", "values-prod.yaml", `image:
!  tag: {-version}
!  digest: {-sha256}
auth:
  existingSecret: ""
!  secretKeys: {adminPasswordKey: postgres-password}
  password: {+plainpw}
!  passwordSecretRef: {name: db, key: password}
  postgresPassword: {+pw}
ingress:
!  tls: [{secretName: app-tls}]
grafana:
  adminPassword: {+pw}
!  adminUser: admin
!  userKey: admin-user
!  passwordKey: admin-password
`},
	{"kubeconfig", "kubeconfig", `apiVersion: v1
kind: Config
clusters:
- name: prod
  cluster:
!    certificate-authority-data: {-cert64}
    server: https://10.0.0.1:6443
users:
- name: admin
  user:
!    client-certificate-data: {-cert64}
    client-key-data: {+key64}
- name: bot
  user:
    token: {+jwt}
`},
	{"SOPS and age", "keys.txt", `# created: 2026-01-01T00:00:00Z
!# public key: {-agepub}
{+age}
!# {-agebad}
`},
	{"SOPS and age", "app.sops.yaml", `db:
!  password: {-sopsenc}
!  token: {-sopsenc}
sops:
  age:
!  - recipient: {-agepub}
    enc: |
      -----BEGIN AGE ENCRYPTED FILE-----
!      {-b64}
      -----END AGE ENCRYPTED FILE-----
!  mac: {-sopsenc}
  version: 3.9.0
`},
	{"SOPS and age", "flux-secret.yaml", `apiVersion: v1
kind: Secret
metadata: {name: sops-age, namespace: flux-system}
stringData:
  age.agekey: {+age}
---
!# sops: {-agepub}
`},
	{"docker", ".docker/config.json", `{"auths": {"registry.internal": {
  "auth": "{+userpass64}",
!  "email": "bot@acme.internal"
}},
!"credsStore": "desktop"
}
`},
	{"docker", "docker-compose.yml", `services:
  db:
!    image: postgres:{-version}
    environment:
      POSTGRES_PASSWORD: {+plainpw}
!      POSTGRES_USER: app
!      POSTGRES_PASSWORD_FILE: /run/secrets/pg
  app:
    environment:
      - SECRET_KEY={+strong}
      - DB_PASSWORD={+plainpw}
!      - DB_PASSWORD2=${DB_PASSWORD}
!      - TOKEN_HEADER=X-Token
    command: redis-server --requirepass {+plainpw}
`},
	{"docker", "Dockerfile", `FROM alpine:3.20
ENV DB_PASSWORD {+plainpw}
ENV API_TOKEN={+hex32}
!ARG API_TOKEN
!ENV PASSWORD_FILE=/run/secrets/x
!ENV GPG_KEY A035C8C19219BA821ECEA86B64E628F8D684696D
`},
}

var toolFiles = []layout{
	{"netrc", ".netrc", "machine git.internal\n  login bot\n  password {+pw}\nmachine api.internal login me password {+pw}\n!machine x.internal login anonymous\n"},
	{"pgpass", ".pgpass", "!# host:port:database:user:password\ndb.internal:5432:app:app:{+pw}\n*:*:*:postgres:{+plainpw}\n"},
	{"npmrc", ".npmrc", "//npm.example.com/:_authToken={+npm}\n//npm.internal/:_authToken={+uuid}\n_auth={+userpass64}\n!//npm.internal/:_authToken=${NPM_TOKEN}\n!registry=https://npm.internal/\n!always-auth=true\n"},
	{"pypirc", ".pypirc", "[distutils]\nindex-servers = pypi\n[pypi]\n!username = __token__\npassword = {+plainpw}\n!repository = https://pypi.example.com/legacy/\n"},
	{"s3cfg", ".s3cfg", "[default]\naccess_key = {+awsid}\nsecret_key = {+awssecret}\ngpg_passphrase = {+plainpw}\n!bucket_location = EU\n!gpg_command = /usr/bin/gpg\n!use_https = True\n"},
	{"AWS credentials", "credentials", "[default]\naws_access_key_id = {+awsid}\naws_secret_access_key = {+awssecret}\n!region = eu-west-1\n[docs]\n!aws_access_key_id = {-awsexample}\n"},
	{"htpasswd", ".htpasswd", "admin:{+apr1}\nbob:{+bcrypt}\n!# user:hash\n"},
	{"shadow", "etc/shadow", "root:{+sha512}:19000:0:99999:7:::\n!daemon:*:19000:0:99999:7:::\n!sshd:!:19000::::::\nops:{+sha512}:19000:0:99999:7:::\n"},
	{"SQL dump", "dump.sql", "INSERT INTO `wp_users` VALUES (1,'admin','{+phpass}','admin@acme.internal');\nINSERT INTO `users` VALUES (2,'bob','{+bcrypt}');\nCREATE USER 'app'@'%' IDENTIFIED BY '{+plainpw}';\n!ALTER TABLE users ADD COLUMN password varchar(255) NOT NULL;\n!INSERT INTO `settings` VALUES ('password_reset','enabled');\n"},
	{"Firefox", "logins.json", `{"logins":[{"hostname":"https://x.internal",` + "\n" + `"encryptedUsername":"{+mozilla}",` + "\n" + `"encryptedPassword":"{+mozilla}",` + "\n" + `!"guid":"{-uuid}"}]}` + "\n"},
	{"FileZilla", "recentservers.xml", "<Server>\n<Host>ftp.internal</Host>\n<Pass encoding=\"base64\">{+pw64}</Pass>\n!<Logontype>1</Logontype>\n</Server>\n"},
	{"editors", "sftp.json", "{\n  \"host\": \"10.0.0.1\",\n  \"username\": \"deploy\",\n  \"password\": \"{+plainpw}\",\n  \"passphrase\": \"{+pw}\",\n!  \"privateKeyPath\": \"~/.ssh/id_rsa\",\n!  \"interactiveAuth\": true\n}\n"},
	{"mail", ".muttrc", "set imap_user = 'me@acme.internal'\nset imap_pass = '{+plainpw}'\nset smtp_pass = \"{+pw}\"\n!set smtp_authenticators = 'login'\n!set pgp_timeout = 3600\n"},
	{"Jenkins", "credentials.xml", "<username>ci</username>\n<password>{+jenkins}</password>\n<secret>{+jenkins}</secret>\n!<id>{-uuid}</id>\n!<scope>GLOBAL</scope>\n"},
	{"shell", "deploy.sh", "#!/bin/sh\nexport AWS_SECRET_ACCESS_KEY={+awssecret}\nPGPASSWORD={+plainpw} psql -h db app\nmysql -u root -p{+plainpw} app < x.sql\ncurl -u bot:{+plainpw} https://api.internal/x\ncurl -H \"Authorization: Bearer {+strong}\" https://api.internal/\nsshpass -p '{+plainpw}' ssh ops@10.0.0.1\n!curl -u \"$USER:$PASS\" https://api.internal/\n!read -rs PASSWORD\n!TOKEN=$(vault read -field=token secret/app)\n!echo \"Enter password:\"\n!mysql -u root -p app\n"},
	{"shell", ".bash_profile", "export GITHUB_TOKEN={+github}\nexport MAIL_PASSWORD='{+pw}'\n!export PATH=$PATH:/opt/bin\n!export SSH_AUTH_SOCK=/tmp/agent.sock\n!alias token='cat ~/.token'\n"},
	{"Terraform CLI", ".terraformrc", "credentials \"app.terraform.io\" {\n  token = \"{+strong}\"\n}\n!plugin_cache_dir = \"$HOME/.terraform.d\"\n"},
}

var serverFiles = []layout{
	{"keys", "id_ed25519", "{+openssh}\n"},
	{"keys", "server.pem", "{+pem}\n!{-cert}\n"},
	{"keys", "public.pem", "!{-pubkey}\n!{-cert}\n"},
	{"keys", "mail.asc", "!{-pgp}\n"},
	{"keys", "key.ppk", "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nComment: x\nPublic-Lines: 4\n!{-lines64}\n{+ppk}"},
	{"VPN", "client.ovpn", "client\nremote vpn.internal 1194\n!auth SHA256\n!cipher AES-256-GCM\n<ca>\n!{-cert}\n</ca>\n<key>\n{+pem}\n</key>\n<tls-auth>\n{+static}\n</tls-auth>\n"},
	{"VPN", "wg0.conf", "[Interface]\nAddress = 10.0.0.2/24\nPrivateKey = {+wireguard}\n[Peer]\n!PublicKey = {-wireguard}\nPresharedKey = {+wireguard}\n!AllowedIPs = 0.0.0.0/0\n"},
	{"service account", "sa.json", "{\n  \"type\": \"service_account\",\n!  \"private_key_id\": \"{-hex40}\",\n  \"private_key\": \"{+pemline}\\n\",\n!  \"client_email\": \"x@y.iam.gserviceaccount.com\",\n!  \"client_id\": \"103{-version}\"\n}\n"},
	{"web servers", "nginx.conf", "proxy_set_header Authorization \"Basic {+userpass64}\";\nproxy_set_header X-Api-Key {+hex32};\n!proxy_set_header X-Request-Id $request_id;\n!ssl_certificate_key /etc/ssl/private/key.pem;\n!auth_basic_user_file /etc/nginx/.htpasswd;\n"},
	{"web servers", "redis.conf", "requirepass {+pw}\nmasterauth {+plainpw}\n!# requirepass foobared\n!port 6379\n!appendonly yes\n"},
	{"sessions", "session.conf", "[session]\ncookie_secret = {+strong}\nsecret_key_base = {+hex64}\n!cookie_name = app_session\n!session_timeout = 3600\n!cookie_samesite = lax\n"},
	{"cloud-init", "user-data.yaml", "#cloud-config\nusers:\n- name: ops\n  passwd: {+sha512}\n!  ssh_authorized_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{-b64}]\nchpasswd:\n  expire: false\n  list: |\n    root:{+plainpw}\n    ubuntu:{+plainpw}\n!packages: [curl, pass]\n"},
	{"Ansible", "inventory.ini", "[web]\nweb1 ansible_host=10.0.0.1 ansible_password={+plainpw}\nweb2 ansible_ssh_pass='{+plainpw}' ansible_user=ops\n[all:vars]\nansible_become_pass={+plainpw}\n!ansible_ssh_private_key_file=~/.ssh/id_rsa\n!ansible_ssh_pass={{ vault_ssh_pass }}\n"},
	{"Ansible", "group_vars/all.yml", "mysql_root_password: {+plainpw}\n!mysql_password: \"{{ vault_mysql_password }}\"\n!vault_password_file: .vault_pass\nsmtp_password: \"{+pw}\"\n!secret: !vault |\n!  $ANSIBLE_VAULT;1.1;AES256\n!  {-hex64}\n"},
	{"systemd", "app.service", "[Service]\nEnvironment=\"DB_PASSWORD={+plainpw}\"\nEnvironment=API_TOKEN={+hex32}\n!Environment=TOKEN_FILE=/run/token\n!EnvironmentFile=/etc/app/env\n!ExecStart=/usr/bin/app --password-file /etc/app/pw\n"},
	{"routers", "router.cfg", "hostname r1\nenable secret 5 $1${+crypt}\nsnmp-server community {+plainpw} RO\n!snmp-server community public RO\n!service password-encryption\n!aaa authentication login default local\n"},
	{"chat clients", "accounts.xml", "<account>\n<protocol>prpl-jabber</protocol>\n<password>{+pw}</password>\n!<alias>me</alias>\n</account>\n"},
}

var tokenFiles = []layout{
	{"known formats", "tokens.conf", "a = {+github}\nb = {+gitlab}\nc = {+routable}\nd = {+slack}\ne = {+slackhook}\nf = {+discord}\ng = {+stripe}\nh = {+gcpkey}\ni = {+tailscale}\nj = {+vault}\nk = {+jwt}\nl = {+githubapp}\nm = {+npm}\nn = {+awsid}\n!o = {-githubbad}\n!p = {-stripepub}\n!q = {-awsexample}\n!r = {-agebad}\n!s = {-hex40}\n!t = {-uuid}\n!u = {-b64}\n!v = {-sha256}\n"},
	{"code", "config.js", "module.exports = {\n  password: '{+plainpw}',\n!  token: process.env.TOKEN,\n!  secret: config.get('secret'),\n  apiKey: \"{+hex32}\",\n!  passwordPlaceholder: 'Enter your password',\n};\n"},
	{"code", "settings.py", "DEBUG = False\nSECRET_KEY = '{+strong}'\nDATABASES = {'default': {'USER': 'app', 'PASSWORD': '{+plainpw}'}}\n!AUTH_PASSWORD_VALIDATORS = []\n!PASSWORD_RESET_TIMEOUT = 259200\n!API_TOKEN = os.environ['API_TOKEN']\n"},
}

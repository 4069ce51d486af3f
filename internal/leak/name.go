package leak

import (
	"slices"
	"strings"
)

// class is what a name says about its value.
type class uint8

const (
	classNone     class = iota
	classPassword       // anything a person may have thought up
	classSecret
	classToken
	classKey   // a key with a purpose: api key, signing key
	classBare  // "key", "auth", "credentials" alone: the value must speak for itself
	classSalt  // salts, nonces, seeds
	classHash  // a password's hash
	classLoose // a secret's name among others that say nothing
)

// endings are how a name of each class ends, written together and in lower
// case; the longest that fits decides.
var endings = endingsOf(map[class]string{
	classPassword: `password passwd passwort pwd passphrase passcode pass pw psw psk passwrd contrasena senha motdepasse mdp parola wachtwoord haslo
		requirepass masterauth passwords identifiedby passwdstr bindcred bindcredentials passw sudopass passkey`,
	classSecret: `secret secretkeybase clientsecret secretid sharedsecret secrets cookiesecret usersecret`,
	classToken:  `token jwt bearer tokens accesstoken authtoken authenticitytoken writetoken`,
	classKey: `apikey accesskey secretkey privatekey authkey encryptionkey encryptkey signingkey masterkey accountkey sharedkey clientkey appkey
		applicationkey consumerkey servicekey licensekey licencekey cryptkey cipherkey hmackey jwtkey sessionkey cookiekey securitykey
		hashkey adminkey integrationkey ingestkey writekey subscriptionkey functionkey storagekey decryptionkey decryptkey validationkey
		machinekey signkey webhookkey serverkey rootkey aeskey deskey apikeys securekey loggedinkey oauthkey transportkey fernetkey rsakey
		presharedkey customerkey mapskey devkey partnerkey merchantkey streamkey devicekey systemkey unlockkey keybase authcode ikey skey
		akey privkey enckey fcmkey`,
	classBare: `sitekey key auth authorization credential credentials creds cookie session webhook sid community authentication keys oauth`,
	classSalt: `salt nonce seed pepper iv`,
	classHash: `passwordhash hashedpassword passwdhash pwdhash encryptedpassword cryptedpassword passhash passworddigest`,
})

// longestEnding bounds the search in endings.
const longestEnding = 18

func endingsOf(words map[class]string) map[string]class {
	all := map[string]class{}
	for c, list := range words {
		for _, w := range strings.Fields(list) {
			all[w] = c
		}
	}
	return all
}

// idle words at a name's end say nothing about the value.
var idle = wordSet(`prod production dev develop development stage staging stg live test testing qa uat local default new old current main primary secondary
	backup plain plaintext cleartext b base raw str string value val data encoded enc s v aws gcp azure master slave readonly ro rw admin root
	user app db database server client api service svc dec decoded base64 b64 w x a c one two for internal external global common shared system
	temp tmp me my mainnet testnet sandbox demo example`)

// aside words at a name's end make the value something about a secret.
var aside = wordSet(`name names ref refs reference path paths file files filename dir directory folder location url urls uri uris endpoint endpoints host
	hostname port id ids uid guid uuid type types kind length len size count limit max min ttl expiry expires expire expiration expired timeout
	lifetime age policy policies rotation enabled enable disabled disable required optional allowed prefix suffix format field fields header
	headers hint label labels placeholder message msg text title description desc regex regexp pattern algorithm alg algo method mode store
	stores provider providers manager service class env var variable variables property properties param params parameter parameters column
	selector namespace version issuer audience scope scopes source from mount volume template templates generator generate encoder encoding
	validator validation validate handler factory charset strength attempts retry retries history reset change changed forgot update updated
	confirm confirmation repeat public pub alias index idx map mapping list username login email mail domain address protocol schema scheme bits
	iterations rounds time date at by on interval refresh cache check checks check1 needed exists present set group groups role roles owner
	status state flag option options usage uses config configuration settings setting template backend engine validity period error errors
	exception failed failure invalid success request response input output button link page form dialog view screen model dto entity repository
	controller mgr annotation annotations ext extension rule rules match test tests spec help tip prompt question answer reminder recovery
	column order sort cmd command script hook function func callback listener event events action actions resource resources template counter
	num number no digits sequence frame frames press pressed down up code codes board binding bindings certificate cert certs fingerprint
	thumbprint checksum digest sum usages size strategy syntax separator delimiter sep pair pairs ring pub rotator secrets_ref expr expression
	metadata arn vault`)

// classify says what a name promises. It looks at the end of the name first:
// db_password is one, password_file is not.
func classify(name string) class {
	if strings.EqualFold(name, "identified by") { // SQL
		return classPassword
	}
	words := splitName(name)
	for len(words) > 1 && idle[words[len(words)-1]] {
		words = words[:len(words)-1]
	}
	if len(words) == 0 {
		return classNone
	}
	if isAside(words) {
		return classNone
	}
	joined := strings.Join(words, "")
	for n := min(len(joined), longestEnding); n >= 2; n-- {
		tail := joined[len(joined)-n:]
		if c, ok := endings[tail]; ok && fits(tail, words) {
			return specify(c, words)
		}
	}
	for _, w := range words {
		switch w {
		case "password", "passwd", "secret", "token", "apikey", "pwd", "passphrase":
			return classLoose
		}
	}
	return classNone
}

// isAside knows names about a secret, except those that end like one: a
// secret_id is a secret, and so is what stands behind "secret key base".
func isAside(words []string) bool {
	last := words[len(words)-1]
	if len(words) > 1 {
		if two := words[len(words)-2] + last; two == "secretid" || two == "authcode" || two == "passcode" {
			return false
		}
	}
	if aside[last] {
		return true
	}
	switch words[0] {
	case "page", "continuation", "cursor", "pagination", "sync", "resume", "watermark", "design", "syntax", "lexer", "parser":
		return words[len(words)-1] == "token" || words[len(words)-1] == "key"
	case "public", "pub", "no", "has", "is", "use", "allow", "show", "hide", "require", "enable", "disable", "reset", "forgot", "change", "csrf", "xsrf", "next", "max", "min", "invalid", "existing", "ignore", "skip":
		return true
	}
	if len(words) > 1 {
		switch words[len(words)-2] {
		case "public", "pub", "csrf", "xsrf", "page", "continuation", "next", "cursor":
			return true
		}
	}
	return false
}

// publicOwners in a name make its key one that everybody may know, or none.
var publicOwners = wordSet(`gpg pgp cache foreign partition sort idempotency host known authorized apt rpm yum keyserver dedupe shortcut translation i18n locale trusted
	pubkey site analytics tracking measurement`)

// fits keeps short endings from being found inside other words: bypass,
// compass, monkey, wholesalt.
func fits(tail string, words []string) bool {
	last := words[len(words)-1]
	switch {
	case len(tail) >= 6, last == tail, len(last) < len(tail):
		return true
	}
	head := last[:len(last)-len(tail)]
	switch tail {
	case "pass", "pwd", "pw", "psw", "token", "salt", "key", "auth":
		return owners[head]
	}
	return false
}

// owners are what stands in front of a short ending, written together with it.
var owners = wordSet(`db root admin user my mysql pg postgres redis mongo ftp sftp smtp imap pop mail email ssh ldap bind http https proxy rpc api app web sys
	system master slave repl replication su sudo login account acc vnc rdp wifi wpa key store keystore truststore trust jdbc sql ora oracle
	mssql sa smb cifs nas vpn ipmi bmc ilo snmp git github gitlab jira svn nexus docker registry hub access auth refresh bearer session bot id
	private secret client server consumer encryption crypt cookie hash password passwd site host device zbx zabbix nagios grafana kafka rabbit
	amqp mqtt es elastic solr ceph tomcat jenkins sonar bitbucket test dev prod pub x sess csrf enc sign signing app license`)

// specify sorts out classes that the words before the ending change.
func specify(c class, words []string) class {
	if c == classPassword && len(words) > 1 {
		switch words[len(words)-2] {
		case "by", "encrypted", "hashed", "crypted":
			return classHash
		}
	}
	if c == classToken && len(words) > 1 && (words[len(words)-2] == "request" || words[len(words)-2] == "idempotency") {
		return classNone // names a request, opens nothing
	}
	if (c == classBare || c == classKey) && slices.ContainsFunc(words, func(w string) bool { return publicOwners[w] }) {
		return classNone
	}
	if c == classBare && len(words) > 1 && words[len(words)-1] == "key" {
		for _, w := range words[:len(words)-1] {
			switch w {
			case "api", "secret", "access", "private", "auth", "encryption", "signing", "crypto", "cipher", "jwt", "license":
				return classKey
			}
		}
	}
	return c
}

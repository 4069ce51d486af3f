package sops

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// recipientForms ends the error about text that is no recipient.
const recipientForms = "want age1..., ssh-ed25519 ..., ssh-rsa ..., a PGP fingerprint, an AWS KMS arn, " +
	"a GCP KMS or Azure Key Vault key, a Vault transit URI or a region:uuid of Huawei Cloud"

// ParseRecipient reads a recipient as people write it (age1..., ssh-ed25519 ...,
// arn:aws:kms:..., a fingerprint) or says what is wrong with it. The error never
// repeats s, which may be a private key in the wrong place.
func ParseRecipient(s string) (Recipient, error) {
	s = strings.TrimSpace(s)
	switch upper := strings.ToUpper(s); {
	case s == "":
		return Recipient{}, errors.New("an empty recipient; " + recipientForms)
	case strings.HasPrefix(upper, "AGE-SECRET-KEY-"), strings.HasPrefix(upper, "AGE-PLUGIN-"):
		return Recipient{}, errors.New("a private age identity, where a public recipient belongs; remove it, then replace the key")
	case strings.HasPrefix(s, "-----BEGIN"):
		return Recipient{}, errors.New("a key block, where one line belongs; " + recipientForms)
	}
	kind := kindOf(s)
	if kind == "" {
		return Recipient{}, errors.New("not a recipient; " + recipientForms)
	}
	return parseKind(kind, s)
}

// kindOf tells the kind by the form alone.
func kindOf(s string) Kind {
	switch {
	case strings.HasPrefix(s, "age1"), strings.HasPrefix(s, "ssh-"):
		return Age
	case strings.HasPrefix(s, "arn:"):
		return KMS
	case strings.HasPrefix(s, "projects/"):
		return GCPKMS
	case strings.HasPrefix(s, "https://"), strings.HasPrefix(s, "http://"):
		if azureURL.MatchString(s) {
			return AzureKV
		}
		return Vault
	case fingerprint.MatchString(pgpID(s)):
		return PGP
	case huaweiID.MatchString(s):
		return HCKMS
	}
	return ""
}

var (
	fingerprint = regexp.MustCompile(`^([0-9A-F]{8}|[0-9A-F]{16}|[0-9A-F]{32}|[0-9A-F]{40}|[0-9A-F]{64})!?$`)
	address     = regexp.MustCompile(`^[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+$`)
	kmsARN      = regexp.MustCompile(`^arn:aws[\w-]*:kms:[^:\s]+:[0-9]+:(key|alias)/[^\s|]+$`)
	gcpID       = regexp.MustCompile(`^projects/[^/\s]+/locations/[^/\s]+/keyRings/[^/\s]+/cryptoKeys/[^/\s]+$`)
	azureURL    = regexp.MustCompile(`^(https://[^/\s]+)/keys/([^/\s]+)(?:/([^/\s]*))?$`)
	huaweiID    = regexp.MustCompile(`^[a-z0-9-]+:[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	vaultAPI    = regexp.MustCompile(`^v[0-9]+$`)
	pluginName  = regexp.MustCompile(`^[0-9A-Za-z+._-]+$`)
)

// parseKind reads s where the place that names it says the kind already.
func parseKind(kind Kind, s string) (Recipient, error) {
	s = strings.TrimSpace(s)
	switch kind {
	case Age:
		return parseAge(s)
	case PGP:
		id := pgpID(s)
		// gpg takes an address too, and SOPS hands it whatever stands there.
		if !fingerprint.MatchString(id) && !address.MatchString(id) {
			return Recipient{}, errors.New("not a PGP fingerprint: want 40 hexadecimal digits")
		}
		return Recipient{PGP, id}, nil
	case KMS:
		arn, role, _ := strings.Cut(strings.ReplaceAll(s, " ", ""), "+arn:")
		if role != "" {
			role = "arn:" + role
		}
		return kmsRecipient(arn, role, "")
	case GCPKMS:
		id := strings.ReplaceAll(s, " ", "")
		if !gcpID.MatchString(id) {
			return Recipient{}, errors.New("not a GCP KMS key: want projects/P/locations/L/keyRings/R/cryptoKeys/K")
		}
		return Recipient{GCPKMS, id}, nil
	case AzureKV:
		m := azureURL.FindStringSubmatch(s)
		if m == nil {
			return Recipient{}, errors.New("not an Azure Key Vault key: want https://VAULT.vault.azure.net/keys/NAME/VERSION")
		}
		return azureRecipient(m[1], m[2]), nil
	case Vault:
		return parseVault(s)
	case HCKMS:
		region, id, ok := strings.Cut(s, ":")
		if !ok || strings.TrimSpace(region) == "" || strings.TrimSpace(id) == "" {
			return Recipient{}, errors.New("not a Huawei Cloud KMS key: want region:uuid")
		}
		return Recipient{HCKMS, strings.TrimSpace(region) + ":" + strings.TrimSpace(id)}, nil
	}
	return Recipient{}, fmt.Errorf("no kind of key that sops knows: %q", kind)
}

// parseAge reads every kind of recipient that age encrypts to.
func parseAge(s string) (Recipient, error) {
	if strings.HasPrefix(s, "ssh-") {
		return parseSSH(s)
	}
	if !strings.HasPrefix(s, "age1") {
		return Recipient{}, errors.New("not an age recipient: want one that begins with age1 or ssh-ed25519")
	}
	hrp, data, err := bech32(s)
	if err != nil {
		return Recipient{}, fmt.Errorf("not an age recipient: %w", err)
	}
	want := len(data)
	switch {
	case hrp == "age":
		want = 32
	case hrp == "age1pq":
		want = 1216 // ML-KEM-768 beside X25519
	case !pluginName.MatchString(strings.TrimPrefix(hrp, "age1")):
		return Recipient{}, errors.New("not an age recipient: no plugin can have that name")
	}
	if len(data) != want {
		return Recipient{}, fmt.Errorf("not an age recipient: its key has %d bytes, not %d", len(data), want)
	}
	return Recipient{Age, s}, nil
}

// parseSSH reads the line of an authorized_keys file and drops its comment.
func parseSSH(s string) (Recipient, error) {
	f := strings.Fields(s)
	if f[0] != "ssh-ed25519" && f[0] != "ssh-rsa" {
		return Recipient{}, errors.New("age takes no ssh keys but ssh-ed25519 and ssh-rsa")
	}
	if len(f) < 2 {
		return Recipient{}, fmt.Errorf("not an ssh key: nothing follows %s", f[0])
	}
	blob, err := base64.StdEncoding.DecodeString(f[1])
	if err != nil {
		return Recipient{}, errors.New("not an ssh key: it is cut short or not base64")
	}
	parts, ok := sshFields(blob)
	if !ok || len(parts) < 2 || string(parts[0]) != f[0] {
		return Recipient{}, errors.New("not an ssh key: it is cut short or of another type than it says")
	}
	switch {
	case f[0] == "ssh-ed25519" && (len(parts) != 2 || len(parts[1]) != 32):
		return Recipient{}, errors.New("not an ssh-ed25519 key: it is cut short")
	case f[0] == "ssh-rsa" && (len(parts) != 3 || len(strings.TrimLeft(string(parts[2]), "\x00")) < 256):
		return Recipient{}, errors.New("age takes no ssh-rsa key under 2048 bits")
	}
	return Recipient{Age, f[0] + " " + f[1]}, nil
}

// sshFields splits ssh's wire form: fields behind their length.
func sshFields(b []byte) (fields [][]byte, ok bool) {
	for len(b) > 0 {
		if len(b) < 4 {
			return nil, false
		}
		n := binary.BigEndian.Uint32(b)
		if b = b[4:]; uint64(n) > uint64(len(b)) {
			return nil, false
		}
		fields, b = append(fields, b[:n]), b[n:]
	}
	return fields, true
}

func pgpID(s string) string {
	s = strings.ToUpper(strings.Join(strings.Fields(s), ""))
	return strings.TrimPrefix(s, "0X")
}

// kmsRecipient joins what identifies a KMS key. The AWS profile is left out: it
// says how one machine signs in, and two profiles may reach one key.
func kmsRecipient(arn, role, context string) (Recipient, error) {
	id := arn
	if role != "" {
		id += "+" + role
	}
	if context != "" {
		id += "|" + context
	}
	if !kmsARN.MatchString(arn) {
		return Recipient{KMS, id}, errors.New("not an AWS KMS key: want arn:aws:kms:REGION:ACCOUNT:key/ID")
	}
	return Recipient{KMS, id}, nil
}

// azureRecipient leaves the version out: rules may omit it, and SOPS then asks the
// vault and writes the newest one into the file.
func azureRecipient(vault, name string) Recipient {
	return Recipient{AzureKV, strings.TrimRight(vault, "/") + "/keys/" + name}
}

func vaultRecipient(address, engine, key string) Recipient {
	return Recipient{Vault, strings.TrimRight(address, "/") + "/v1/" + strings.Trim(engine, "/") + "/keys/" + key}
}

func parseVault(s string) (Recipient, error) {
	bad := errors.New("not a Vault transit key: want https://VAULT:8200/v1/ENGINE/keys/NAME")
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return Recipient{}, bad
	}
	dirs := strings.Split(strings.Trim(u.Path, "/"), "/")
	n := len(dirs)
	if n < 4 || !vaultAPI.MatchString(dirs[0]) {
		return Recipient{}, bad
	}
	return vaultRecipient(u.Scheme+"://"+u.Host, path.Join(dirs[1:n-2]...), dirs[n-1]), nil
}

// SSH reports whether r is an ssh key, a person's or a machine's own.
func (r Recipient) SSH() bool { return r.Kind == Age && strings.HasPrefix(r.ID, "ssh-") }

// PostQuantum reports whether r is one of age's hybrid keys.
func (r Recipient) PostQuantum() bool { return r.Kind == Age && strings.HasPrefix(r.ID, "age1pq1") }

// Plugin reports whether r needs a plugin of age, such as age1yubikey1...
func (r Recipient) Plugin() bool {
	return r.Kind == Age && strings.HasPrefix(r.ID, "age1") && !r.PostQuantum() && strings.Count(r.ID, "1") > 1
}

// String is the recipient for people, whole.
func (r Recipient) String() string { return r.ID }

// Short is its abbreviation for tables and messages: both ends of a long key.
func (r Recipient) Short() string {
	switch r.Kind {
	case Age:
		if kind, key, ok := strings.Cut(r.ID, " "); ok {
			return kind + " " + ends(key, 0, 8)
		}
		return ends(r.ID, 8, 6)
	case PGP:
		return ends(r.ID, 0, 16)
	case KMS:
		arn, rest, _ := strings.Cut(r.ID, ":key/")
		if i := strings.IndexAny(rest, "+|"); i >= 0 {
			rest = rest[:i]
		}
		if f := strings.Split(arn, ":"); len(f) > 4 && rest != "" {
			return "kms " + f[3] + " " + ends(rest, 8, 4)
		}
		return ends(r.ID, 16, 12)
	}
	return ends(r.ID, 16, 16)
}

// ends keeps the first and last characters of s, where it is longer than both.
func ends(s string, first, last int) string {
	r := []rune(s)
	if len(r) <= first+last+1 {
		return s
	}
	return string(r[:first]) + "…" + string(r[len(r)-last:])
}

// Compare orders recipients by kind, then by ID.
func (r Recipient) Compare(o Recipient) int {
	if c := strings.Compare(string(r.Kind), string(o.Kind)); c != 0 {
		return c
	}
	return strings.Compare(r.ID, o.ID)
}

// Difference returns the recipients of a that b lacks, sorted, each once.
func Difference(a, b []Recipient) []Recipient {
	drop := make(map[Recipient]bool, len(b))
	for _, r := range b {
		drop[r] = true
	}
	var out []Recipient
	for _, r := range a {
		if !drop[r] {
			drop[r] = true
			out = append(out, r)
		}
	}
	slices.SortFunc(out, Recipient.Compare)
	return out
}

// Union returns every recipient of the groups, sorted, each once.
func Union(groups []Group) []Recipient {
	var all []Recipient
	for _, g := range groups {
		all = append(all, g...)
	}
	return Difference(all, nil)
}

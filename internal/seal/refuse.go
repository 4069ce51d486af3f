package seal

import (
	"fmt"

	"github.com/sealward/sealward/internal/sops"
)

// Reason is why a file was not re-sealed.
type Reason string

// The reasons. Each is an attack or a loss that was seen to happen.
const (
	// Unreadable: not a file that can be read in full, so what stays unread could hide anything.
	Unreadable Reason = "unreadable"
	// TooLarge: over the 5 MiB that Flux decrypts, or more values than any secret has.
	TooLarge Reason = "too-large"
	// Aliases: YAML aliases, of which a kilobyte can cost seconds.
	Aliases Reason = "aliases"
	// NotSealed: no metadata of SOPS, or values sealed outside of any.
	NotSealed Reason = "not-sealed"
	// Metadata: metadata that two readers would read differently, or none could.
	Metadata Reason = "metadata"
	// Injected: a recipient that neither the rules nor the replaced key explain.
	Injected Reason = "injected-recipient"
	// Service: a key server that the file names and the rules do not.
	Service Reason = "key-service"
	// Plugin: a recipient that a program would have to be run for.
	Plugin Reason = "plugin"
	// NoMAC and BadMAC: nothing tells whether values were exchanged; or something was.
	NoMAC  Reason = "no-mac"
	BadMAC Reason = "bad-mac"
	// Closed: no identity of the keyring opens it.
	Closed Reason = "closed"
	// PartlySealed: a value in clear that the file's own selector seals.
	PartlySealed Reason = "partly-sealed"
	// Stray: a sealed value that the old key does not open where it stands; a new data
	// key would lose it for good.
	Stray Reason = "stray-value"
	// Nobody: the change would leave a document or a key group without a recipient.
	Nobody Reason = "nobody-left"
	// Group: a recipient to add, and no way to tell which key group it belongs to.
	Group Reason = "which-group"
	// Unproven: the outcome did not pass its own verification. It was thrown away.
	Unproven Reason = "unproven"
)

// Refused is the error of a file that was left as it is. It holds no value of the
// file, no text of another library's error, and no part of any key.
type Refused struct {
	Path   string
	Reason Reason
	Detail string // what is wrong, and the way out
	// Recipient is the one that the reason is about, where there is one.
	Recipient sops.Recipient
}

func (r *Refused) Error() string {
	return fmt.Sprintf("re-seal %q: %s (%s)", r.Path, r.Detail, r.Reason)
}

// refuse makes a refusal; the path is filled in at the rim.
func refuse(reason Reason, format string, args ...any) *Refused {
	return &Refused{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

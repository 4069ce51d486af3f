package keyring

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/sops"
)

// kube is a Secret that Flux decrypts with. Flux reads every entry whose name ends in
// .agekey, each of which may hold many lines, and fails as a whole on one that it
// cannot read: so every entry is read before anything is written. A new identity
// becomes an entry of its own, named by the time in UTC.
//
// The current identity is the newest by the comment "# created:" of age-keygen, or else
// by the time in the entry's name; what has neither is older than what has.
type kube struct {
	namespace, name string
	client          *kubeClient
	opts            Options
}

const (
	suffix = ".agekey"
	// watchLabel makes Flux reconcile at once when the Secret changes.
	watchLabel = "reconcile.fluxcd.io/watch"
	tries      = 6
	entryTime  = "2006-01-02T150405Z"
)

var (
	dnsLabel  = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	dnsName   = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`)
	nameTimes = regexp.MustCompile(`\d{4}-\d{2}-\d{2}(T\d{6}Z)?`)
)

func openKube(u *url.URL, o Options) (Keyring, error) {
	k := kube{namespace: u.Host, name: strings.Trim(u.Path, "/"), opts: o}
	query := u.Query()
	for name := range query {
		if name != "context" {
			return nil, fmt.Errorf("open keyring: no option %q; known is context", name)
		}
	}
	if !dnsLabel.MatchString(k.namespace) || !dnsName.MatchString(k.name) {
		return nil, errors.New("open keyring: want kubernetes://namespace/secret with names as Kubernetes has them")
	}
	c, err := findCluster(query.Get("context"), o.Getenv)
	if err != nil {
		return nil, fmt.Errorf("open keyring %s: %w", k, err)
	}
	if k.client, err = newKubeClient(c); err != nil {
		return nil, fmt.Errorf("open keyring %s: %w", k, err)
	}
	return k, nil
}

func (k kube) String() string { return "kubernetes://" + k.namespace + "/" + k.name }

// contents is a Secret, read.
type contents struct {
	secret   *secret
	entries  map[string]entry // by name, those that Flux reads
	held     []placed         // newest first
	warnings []string
}

// placed is an identity and the entry that it stands in.
type placed struct {
	held
	entry string
}

func (c contents) identities() []Identity {
	out := make([]Identity, len(c.held))
	for i, p := range c.held {
		out[i] = p.Identity
	}
	return out
}

func (k kube) read(ctx context.Context) (contents, error) {
	s, err := k.client.get(ctx, k.namespace, k.name)
	if err != nil {
		return contents{}, fmt.Errorf("read keyring %s: %w", k, err)
	}
	c := contents{secret: s, entries: map[string]entry{}, warnings: slices.Clone(k.client.cluster.warnings)}
	for _, name := range slices.Sorted(maps.Keys(s.Data)) {
		if !strings.HasSuffix(name, suffix) {
			c.ignored(name, string(s.Data[name]))
			continue
		}
		e, err := parseEntry(string(s.Data[name]), true)
		if err != nil {
			return contents{}, fmt.Errorf("read keyring %s: entry %s, %w; Flux decrypts nothing with this Secret until it is mended or removed",
				k, name, err)
		}
		c.entries[name] = e
		for _, h := range e.held {
			if h.created.IsZero() {
				h.created = nameTime(name)
			}
			c.held = append(c.held, placed{h, name})
		}
		for _, w := range e.warnings {
			c.warnings = append(c.warnings, "entry "+name+", "+w)
		}
	}
	// Of two of one time, the entry later by name and the line further down is newer.
	slices.Reverse(c.held)
	slices.SortStableFunc(c.held, func(a, b placed) int { return b.created.Compare(a.created) })
	return c, nil
}

// ignored warns of an entry that holds an identity under a name that Flux passes over.
func (c *contents) ignored(name, text string) {
	if !strings.Contains(text, "AGE-SECRET-KEY-") {
		return
	}
	c.warnings = append(c.warnings, fmt.Sprintf("entry %s holds an age identity, and Flux ignores it: only names that end in %s are read",
		printable(name), suffix))
}

// printable keeps the names of a Secret's entries, which have no other characters.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, name)
}

// nameTime reads the time that an entry is named by, or the zero time.
func nameTime(name string) time.Time {
	at := nameTimes.FindString(name)
	for _, layout := range []string{entryTime, time.DateOnly} {
		if t, err := time.Parse(layout, at); err == nil {
			return t
		}
	}
	return time.Time{}
}

func (k kube) Identities(ctx context.Context, _ string) ([]Identity, error) {
	c, err := k.read(ctx)
	if errors.Is(err, errMissing) {
		return nil, nil
	}
	return c.identities(), err
}

func (k kube) Warnings(ctx context.Context, _ string) ([]string, error) {
	c, err := k.read(ctx)
	if errors.Is(err, errMissing) {
		return append(slices.Clone(k.client.cluster.warnings), fmt.Sprintf("the Secret %s/%s does not exist yet", k.namespace, k.name)), nil
	}
	return c.warnings, err
}

func (k kube) Mint(ctx context.Context, _ string) (sops.Recipient, error) {
	id, err := Generate(k.opts.PostQuantum)
	if err != nil {
		return sops.Recipient{}, err
	}
	err = k.swap(ctx, func(c contents) (change, error) {
		for _, p := range c.held {
			if p.Recipient() == id.Recipient() {
				return change{}, nil // an earlier try did arrive
			}
		}
		created := c.next(k.opts.Now())
		text := []byte(entryText(id, created.Format(time.RFC3339)))
		return change{label: true, data: map[string]*[]byte{freeName(c.secret, created): &text}}, nil
	})
	if err != nil {
		return sops.Recipient{}, fmt.Errorf("make a key in %s: %w", k, err)
	}
	return id.Recipient(), nil
}

// next is the time of an identity that is made now: later than that of every other one,
// which clocks that differ, or two keys within a second, would not make it.
func (c contents) next(now time.Time) time.Time {
	now = now.UTC().Truncate(time.Second)
	if len(c.held) > 0 && !now.After(c.held[0].created) {
		return c.held[0].created.UTC().Add(time.Second)
	}
	return now
}

// freeName returns the name of a new entry: the time, and a number where it is taken,
// written so that the later of two sorts behind the earlier.
func freeName(s *secret, at time.Time) string {
	base := at.Format(entryTime)
	name := base + suffix
	for n := 2; ; n++ {
		if s == nil {
			return name
		}
		if _, taken := s.Data[name]; !taken {
			return name
		}
		name = fmt.Sprintf("%s_%02d%s", base, n, suffix)
	}
}

func (k kube) Retire(ctx context.Context, env string, keep sops.Recipient) (Retired, error) {
	var out Retired
	err := k.swap(ctx, func(c contents) (change, error) {
		if len(out.Removed) > 0 && len(c.held) == 1 && c.held[0].Recipient() == keep {
			return change{}, nil // an earlier try did arrive
		}
		kept, err := mayKeep(env, c.identities(), keep)
		if err != nil {
			return change{}, err
		}
		keep = kept
		out = Retired{Warnings: c.warnings}
		for _, p := range c.held {
			if p.Recipient() != keep {
				out.Removed = append(out.Removed, p.Recipient())
			}
		}
		return change{data: retired(c, keep)}, nil
	})
	if err != nil {
		return Retired{}, fmt.Errorf("retire keys in %s: %w", k, err)
	}
	return out, nil
}

// retired is the change that takes every identity but keep out of the entries. An
// entry that held nothing else goes with them.
func retired(c contents, keep sops.Recipient) map[string]*[]byte {
	data := map[string]*[]byte{}
	for name, e := range c.entries {
		text, gone := e.without(keep)
		switch {
		case len(gone) == 0:
		case len(gone) == len(e.held) && !strings.Contains(text, "AGE-PLUGIN-"):
			data[name] = nil
		default:
			rest := []byte(text)
			data[name] = &rest
		}
	}
	return data
}

// change is what a compare-and-swap writes; without data it writes nothing.
type change struct {
	label bool
	data  map[string]*[]byte
}

// swap reads the Secret, asks for the change and writes it only if nobody else has
// written in between; otherwise it begins again. An answer that was lost begins again
// too, so decide must recognise what it has done before.
func (k kube) swap(ctx context.Context, decide func(contents) (change, error)) error {
	var last error
	for try := range tries {
		if try > 0 {
			select {
			case <-ctx.Done():
				return errors.Join(last, ctx.Err())
			case <-time.After(time.Duration(50<<try) * time.Millisecond):
			}
		}
		c, err := k.read(ctx)
		missing := errors.Is(err, errMissing)
		if err != nil && !missing {
			if last = err; errors.Is(err, errUnsure) {
				continue
			}
			return err
		}
		ch, err := decide(c)
		if err != nil || len(ch.data) == 0 {
			return err
		}
		if last = k.write(ctx, c, ch); last == nil {
			return nil
		}
		if !errors.Is(last, errConflict) && !errors.Is(last, errUnsure) && !errors.Is(last, errMissing) {
			return last
		}
	}
	return last
}

func (k kube) write(ctx context.Context, c contents, ch change) error {
	meta := secretMeta{}
	if ch.label {
		meta.Labels = map[string]string{watchLabel: "Enabled"}
	}
	if c.secret == nil {
		meta.Name, meta.Namespace = k.name, k.namespace
		s := secret{APIVersion: "v1", Kind: "Secret", Type: "Opaque", Metadata: meta, Data: map[string][]byte{}}
		for name, text := range ch.data {
			s.Data[name] = *text
		}
		return k.client.create(ctx, k.namespace, &s)
	}
	if c.secret.Immutable {
		return errors.New("the Secret is immutable: make a new one, and name it in the configuration and in spec.decryption.secretRef")
	}
	meta.ResourceVersion, meta.UID = c.secret.Metadata.ResourceVersion, c.secret.Metadata.UID
	return k.client.patch(ctx, k.namespace, k.name, secretPatch{meta, ch.data})
}

package github

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// maxDelivery is the largest payload that GitHub sends, in bytes.
const maxDelivery = 25 << 20

// Verifier lets in webhook deliveries that were signed with one of its secrets.
type Verifier struct{ secrets [][]byte }

// NewVerifier takes the webhook's secrets: several while one is being replaced.
// None may be empty, for an empty one would let everybody sign.
func NewVerifier(secrets ...string) (*Verifier, error) {
	v := &Verifier{}
	for _, s := range secrets {
		if strings.TrimSpace(s) == "" {
			return nil, errors.New("a webhook secret is empty: set one on the App's settings page and give the same here")
		}
		v.secrets = append(v.secrets, []byte(s))
	}
	if len(v.secrets) == 0 {
		return nil, errors.New("there is no webhook secret: set one on the App's settings page and give the same here")
	}
	return v, nil
}

// RefusedError is a request that is no delivery of GitHub's.
type RefusedError struct {
	Status int // to answer with
	Reason string
}

// Error is the reason. It holds nothing of the request.
func (e *RefusedError) Error() string { return e.Reason }

// Delivery is a signed delivery.
type Delivery struct {
	ID    string // GitHub's own, the same when it is delivered again
	Event string
	Body  []byte // JSON
}

var (
	deliveryID = regexp.MustCompile(`^[0-9A-Za-z-]{1,100}$`)
	eventName  = regexp.MustCompile(`^[a-z0-9_]{1,100}$`)
)

// Read reads a delivery and checks its signature. The error is a [*RefusedError].
// Only SHA-256 counts: a request with GitHub's old SHA-1 signature alone is refused.
func (v *Verifier) Read(r *http.Request) (Delivery, error) {
	refuse := func(status int, reason string) (Delivery, error) {
		return Delivery{}, &RefusedError{status, reason}
	}
	if r.Method != http.MethodPost {
		return refuse(http.StatusMethodNotAllowed, "deliveries are posted")
	}
	d := Delivery{ID: r.Header.Get("X-GitHub-Delivery"), Event: r.Header.Get("X-GitHub-Event")}
	sum, ok := strings.CutPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256=")
	signature, err := hex.DecodeString(sum)
	switch {
	case !ok || err != nil || len(signature) != sha256.Size:
		return refuse(http.StatusUnauthorized, "there is no SHA-256 signature")
	case !deliveryID.MatchString(d.ID) || !eventName.MatchString(d.Event):
		return refuse(http.StatusBadRequest, "there is no delivery's id or no event's name")
	case r.ContentLength > maxDelivery:
		return refuse(http.StatusRequestEntityTooLarge, "the payload is larger than 25 MiB")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxDelivery+1))
	switch {
	case err != nil:
		return refuse(http.StatusBadRequest, "the payload broke off")
	case len(body) > maxDelivery:
		return refuse(http.StatusRequestEntityTooLarge, "the payload is larger than 25 MiB")
	case !v.signed(body, signature):
		return refuse(http.StatusUnauthorized, "the signature is not of this webhook's secret")
	}
	if d.Body, ok = payload(r.Header.Get("Content-Type"), body); !ok {
		return refuse(http.StatusBadRequest, "the payload is no JSON")
	}
	return d, nil
}

// signed tries every secret, whichever fits, so that time tells nothing.
func (v *Verifier) signed(body, signature []byte) bool {
	good := false
	for _, secret := range v.secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write(body)
		good = hmac.Equal(mac.Sum(nil), signature) || good
	}
	return good
}

// payload is the JSON in a body, which a webhook may be set to send as a form.
func payload(contentType string, body []byte) ([]byte, bool) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err == nil && kind == "application/x-www-form-urlencoded" {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, false
		}
		body = []byte(form.Get("payload"))
	}
	return body, bytes.HasPrefix(bytes.TrimSpace(body), []byte("{"))
}

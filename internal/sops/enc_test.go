package sops

import (
	"strings"
	"testing"
)

const enc = "ENC[AES256_GCM,data:qBIL,iv:TTy3xornLV/jyD++s9E2UxWqo6rEwugWq7gv5WMhvLg=,tag:bFJX7RIywUqTR6OGQYnHVQ==,type:str]"

func TestParseEnc(t *testing.T) {
	if e, ok := ParseEnc(enc); !ok || e != (Enc{"str", 3}) {
		t.Errorf("got %v, %v", e, ok)
	}
	for _, c := range []struct {
		name, token string
	}{
		{"text behind it", enc + " hunter2"},
		{"a blank before it", " " + enc},
		{"no data", strings.Replace(enc, "qBIL", "", 1)},
		{"plaintext instead of data", strings.Replace(enc, "qBIL", "hunter2 is clear", 1)},
		{"no tag", strings.Replace(enc, ",tag:bFJX7RIywUqTR6OGQYnHVQ==", "", 1)},
		{"two in one", enc + "," + enc},
		{"cut short", enc[:len(enc)-1]},
		{"another cipher", strings.Replace(enc, "AES256_GCM", "ROT13", 1)},
		{"nothing", ""},
	} {
		if Sealed(c.token) {
			t.Errorf("%s counts as sealed", c.name)
		}
	}
	if broken := strings.Replace(enc, "qBIL", "qBI", 1); !Sealed(broken) || soundToken(broken) {
		t.Error("a damaged token must count as sealed and not as sound")
	}
}

func FuzzParseEnc(f *testing.F) {
	f.Add(enc)
	f.Add(enc + "]")
	f.Fuzz(func(t *testing.T, s string) {
		e, ok := ParseEnc(s)
		if ok && (e.Length < 1 || e.Length > len(s) || !strings.HasPrefix(s, "ENC[") || !strings.HasSuffix(s, "]")) {
			t.Errorf("%q is %v", s, e)
		}
		soundToken(s)
	})
}

func soundToken(value string) bool {
	t, ok := cutToken(value)
	return ok && t.sound()
}

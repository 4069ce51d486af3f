package leak

import (
	"bytes"
	"strings"
)

// maxArmor is the longest key in armor that is read, in bytes.
const maxArmor = 64 << 10

// readArmor looks at what begins with a line of armor at start: a private key,
// or a PuTTY key file.
func (s *scan) readArmor(start int) {
	if start < s.armor {
		return
	}
	if bytes.HasPrefix(s.data[start:], []byte("PuTTY-User-Key-File")) {
		s.readPuTTY(start)
		return
	}
	if s.data[start] != '-' {
		return
	}
	label, body, ok := s.armorLabel(start)
	if ok && bytes.HasPrefix(label, []byte("OPENVPN STATIC KEY")) {
		s.readStaticKey(start, body)
		return
	}
	if !ok || !bytes.HasSuffix(bytes.TrimSuffix(label, []byte(" BLOCK")), []byte("PRIVATE KEY")) {
		return
	}
	end := s.armorEnd(body, label)
	s.armor = end
	if !hasKeyMaterial(s.data[body:end]) {
		return
	}
	severity := Error
	if bytes.Contains(label, []byte("ENCRYPTED")) || bytes.Contains(s.data[body:min(end, body+200)], []byte("ENCRYPTED")) {
		severity = Warning // a passphrase still stands before it
	}
	s.report(found{Match{Rule: "private-key", Start: start, End: end, Severity: severity, What: "private key"}, byFormat})
}

// armorLabel cuts the label out of -----BEGIN label-----.
func (s *scan) armorLabel(start int) (label []byte, body int, ok bool) {
	head := s.data[start+len("-----BEGIN") : min(len(s.data), start+100)]
	label, _, ok = bytes.Cut(head, []byte("-----"))
	if !ok || bytes.ContainsAny(label, "\n\r\"") {
		return nil, 0, false
	}
	return bytes.ToUpper(bytes.TrimSpace(label)), start + len("-----BEGIN") + len(label) + 5, true
}

// armorEnd finds the end of a key: its last line, or where the base64 stops.
func (s *scan) armorEnd(body int, label []byte) int {
	rest := s.data[body:min(len(s.data), body+maxArmor)]
	if next := bytes.Index(rest, []byte("-----BEGIN")); next >= 0 {
		rest = rest[:next] // the next key bounds this one, and the work
	}
	s.work.tokens += len(rest)
	at := bytes.Index(rest, []byte("-----END"))
	if at < 0 {
		return body + lastArmorByte(rest)
	}
	tail := bytes.Index(rest[at+8:], []byte("-----"))
	if tail < 0 || tail > 80 {
		return body + at + 8
	}
	return body + at + 8 + tail + 5
}

// lastArmorByte is where base64 in lines stops, for keys cut short.
func lastArmorByte(rest []byte) int {
	for i, c := range rest {
		if !isLetter(c) && !isDigit(c) && bytes.IndexByte([]byte("+/=\\\r\n\t \"'-:,"), c) < 0 {
			return i
		}
	}
	return len(rest)
}

// hasKeyMaterial tells a key from "-----BEGIN PRIVATE KEY----- ..." in a text
// about keys: at least 40 characters of base64 together, nothing left out of them,
// and no example.
func hasKeyMaterial(body []byte) bool {
	if bytes.Contains(body, []byte("...")) || bytes.Contains(body, []byte("EXAMPLE")) {
		return false
	}
	run, distinct := 0, [256]bool{}
	kinds := 0
	for _, c := range body {
		switch {
		case isLetter(c) || isDigit(c) || c == '+' || c == '/':
			run++
			if !distinct[c] {
				distinct[c] = true
				kinds++
			}
			if run >= 40 && kinds >= 12 {
				return true
			}
		case c == '\\' || c == '\n' || c == '\r' || c == ' ' || c == '\t' || c == '"' || c == '\'' || c == ',' || c == '=':
			// line ends in all the ways that strings write them
		default:
			run, kinds, distinct = 0, 0, [256]bool{}
		}
	}
	return false
}

// readPuTTY looks for the private lines of a .ppk file.
func (s *scan) readPuTTY(start int) {
	rest := s.data[start:min(len(s.data), start+maxArmor)]
	if next := bytes.Index(rest[1:], []byte("PuTTY-User-Key-File")); next >= 0 {
		rest = rest[:1+next]
	}
	s.work.tokens += len(rest)
	at := bytes.Index(rest, []byte("Private-Lines:"))
	if at < 0 || !hasKeyMaterial(rest[at:]) {
		return
	}
	end := len(rest)
	if mac := bytes.Index(rest[at:], []byte("\nPrivate-MAC:")); mac >= 0 {
		end = at + mac
	}
	s.armor = start + end
	s.report(found{Match{Rule: "private-key", Start: start + at, End: start + end, Severity: Error, What: "PuTTY private key"}, byFormat})
}

// readStaticKey looks at an OpenVPN static key: 16 lines of hex.
func (s *scan) readStaticKey(start, body int) {
	rest := s.data[body:min(len(s.data), body+2000)]
	size := bytes.Index(rest, []byte("-----END"))
	if size < 256 || !hasKeyMaterial(rest[:size]) {
		return
	}
	s.armor = body + size
	s.report(found{Match{Rule: "private-key", Start: start, End: s.armor, Severity: Error, What: "OpenVPN static key"}, byFormat})
}

// readArmor64 looks at base64 that begins as "-----BEGIN " does: kubeconfigs,
// Secrets and talosconfigs hold keys that way.
func (s *scan) readArmor64(start int) {
	if start < s.armor {
		return
	}
	end := start
	for end < len(s.data) && end-start < maxArmor && isBase64Byte(s.data[end]) {
		end++
	}
	s.work.tokens += end - start
	s.armor = end
	size := min(end-start, 160) &^ 3
	head, ok := decodeBase64(string(s.data[start : start+size]))
	label, _, found64 := strings.Cut(strings.TrimPrefix(string(head), "-----BEGIN "), "-----")
	if !ok || !found64 || !strings.HasSuffix(label, "PRIVATE KEY") || end-start < 80 {
		return
	}
	m := Match{Rule: "private-key", Start: start, End: end, Severity: Error, What: "private key in base64"}
	if from, _ := s.line(start, 60); bytes.Contains(s.data[from:start], []byte("client-key-data")) {
		m.Rule, m.What = "kubeconfig-client-key", "private key of a kubeconfig"
	}
	s.report(found{m, byFormat})
}

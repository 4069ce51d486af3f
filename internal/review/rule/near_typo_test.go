package rule

import "testing"

// oneApart is the edit distance of one, in linear time.
func TestOneApart(t *testing.T) {
	words := []string{"", "A", "AB", "ABC", "ABD", "ACB", "BC", "XABC", "ABXC", "ABCX", "AXXC", "DATABASE_URL", "DATABSE_URL", "DATABASE_URI", "DATABASEURL", "database_url"}
	for _, a := range words {
		for _, b := range words {
			if got, want := oneApart(a, b), editDistance(a, b, 2) == 1; got != want {
				t.Errorf("%q and %q: %t, want %t", a, b, got, want)
			}
		}
	}
}

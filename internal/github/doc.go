// Package github is the GitHub that this product needs and no more of it.
//
// A [Client] speaks for one token. It reads a pull request, a push or a merge
// group as a [repo.Change] without any checkout ([Client.Change]), keeps comments
// and issues current ([Client.KeepComment], [Client.KeepIssue]), and opens a
// change of files as one pull request ([Client.Propose]). An [App] signs in as a
// GitHub App and hands out clients for its installations; a [Verifier] lets in the
// webhook deliveries that GitHub signed.
//
// Three things hold for all of it. Every write is looked for before it is made, so
// that it may be repeated after a crash or a lost answer. Limits on the rate of
// calls come back as a [LimitError] that says until when. And contents are known by
// git's own hash: what a tarball or a patch gave is held to the id that the tree
// names, so a byte that is wrong is a byte that is fetched again or reported.
package github

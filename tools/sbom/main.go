// Sbom writes what a Go program is made of, as the build recorded it in the program, as
// an SPDX 2.3 document.
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
)

// document is the part of SPDX that is needed here.
type document struct {
	SPDXVersion       string         `json:"spdxVersion"`
	DataLicense       string         `json:"dataLicense"`
	SPDXID            string         `json:"SPDXID"`
	Name              string         `json:"name"`
	DocumentNamespace string         `json:"documentNamespace"`
	CreationInfo      creation       `json:"creationInfo"`
	Packages          []component    `json:"packages"`
	Relationships     []relationship `json:"relationships"`
}

type creation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type component struct {
	SPDXID           string      `json:"SPDXID"`
	Name             string      `json:"name"`
	Version          string      `json:"versionInfo"`
	DownloadLocation string      `json:"downloadLocation"`
	FilesAnalyzed    bool        `json:"filesAnalyzed"`
	LicenseConcluded string      `json:"licenseConcluded"`
	LicenseDeclared  string      `json:"licenseDeclared"`
	Copyright        string      `json:"copyrightText"`
	Purpose          string      `json:"primaryPackagePurpose,omitempty"`
	ExternalRefs     []reference `json:"externalRefs,omitempty"`
}

type reference struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type relationship struct {
	From string `json:"spdxElementId"`
	Type string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

func main() {
	name := flag.String("name", "", "the image's name")
	version := flag.String("version", "", "the release")
	digest := flag.String("digest", "", "the image's digest")
	flag.Parse()
	if err := run(flag.Arg(0), *name, *version, *digest); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(path, name, version, digest string) error {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read what %q is made of: %w", path, err)
	}
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(describe(info, name, version, digest))
}

// describe is the same for the same image: it names no time but the beginning of all.
func describe(info *buildinfo.BuildInfo, name, version, digest string) document {
	image := module("SPDXRef-Image", name, version, "pkg:oci/"+name[strings.LastIndexByte(name, '/')+1:]+"@"+strings.ReplaceAll(digest, ":", "%3A")+"?repository_url="+name)
	image.Purpose, image.LicenseDeclared = "CONTAINER", "Apache-2.0"
	doc := document{
		SPDXVersion: "SPDX-2.3", DataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT", Name: name + "@" + version,
		DocumentNamespace: fmt.Sprintf("https://%s/spdx/%x", name, sha256.Sum256([]byte(version+digest))),
		CreationInfo:      creation{Created: "1970-01-01T00:00:00Z", Creators: []string{"Tool: sealward-sbom"}},
		Packages:          []component{image},
		Relationships:     []relationship{{"SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Image"}},
	}
	parts := []*debug.Module{{Path: "std", Version: strings.TrimPrefix(info.GoVersion, "go")}}
	for _, m := range append(parts, info.Deps...) {
		if m.Replace != nil {
			m = m.Replace
		}
		id := fmt.Sprintf("SPDXRef-Module-%d", len(doc.Packages))
		doc.Packages = append(doc.Packages, module(id, m.Path, m.Version, "pkg:golang/"+m.Path+"@"+strings.ReplaceAll(m.Version, "+", "%2B")))
		doc.Relationships = append(doc.Relationships, relationship{"SPDXRef-Image", "CONTAINS", id})
	}
	return doc
}

func module(id, name, version, purl string) component {
	const unknown = "NOASSERTION"
	return component{SPDXID: id, Name: name, Version: version, DownloadLocation: unknown, LicenseConcluded: unknown, LicenseDeclared: unknown, Copyright: unknown,
		ExternalRefs: []reference{{"PACKAGE-MANAGER", "purl", purl}}}
}

#!/usr/bin/env bash
# Seals the files in plain/ with the real sops into sealed/, in every format that
# sops knows and with every selector. The keys are made here and thrown away: the
# files can be read, never opened.
#
#   internal/sops/testdata/generate.sh        (sops and age-keygen must be in PATH)
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf sealed && mkdir sealed

recipient() { age-keygen 2>/dev/null -o "$work/$1" && age-keygen -y "$work/$1"; }
a=$(recipient a) b=$(recipient b) c=$(recipient c)
ssh-keygen -q -t ed25519 -N '' -C 'someone@example.org' -f "$work/ssh"
ssh=$(cat "$work/ssh.pub")
age-keygen -pq -o "$work/pq" 2>/dev/null
pq=$(age-keygen -y "$work/pq")

# Rules from a file of their own, so that none of the tree around is looked up.
seal() { # source target rule-lines...
	local source=$1 target=$2
	shift 2
	{
		echo 'creation_rules:'
		printf '  - %s\n' "$1"
		shift
		[ $# -eq 0 ] || printf '    %s\n' "$@"
	} >"$work/rules.yaml"
	sops --config "$work/rules.yaml" encrypt "plain/$source" >"sealed/$target" 2>"$work/log" || { cat "$work/log"; exit 1; }
}

two="age: $a,$b"
for source in nested.yaml secret.yaml comments.yaml nested.json app.env app.ini blob.txt; do
	name=${source%.*} ext=${source##*.}
	seal "$source" "$name-default.$ext" "$two"
	seal "$source" "$name-groups.$ext" 'shamir_threshold: 2' 'key_groups:' "  - age: [$a]" "  - age: [$b, $c]"
	[ "$ext" != txt ] || continue
	seal "$source" "$name-encrypted-regex.$ext" "$two" 'encrypted_regex: ^(data|stringData|password|PASSWORD|ports|list|b|fourth)$'
	seal "$source" "$name-unencrypted-regex.$ext" "$two" 'unencrypted_regex: (?i)^(user|NAME|metadata|kind|apiVersion|notes)'
	seal "$source" "$name-encrypted-suffix.$ext" "$two" 'encrypted_suffix: word'
	seal "$source" "$name-unencrypted-suffix.$ext" "$two" 'unencrypted_suffix: name'
	seal "$source" "$name-encrypted-comment.$ext" "$two" "encrypted_comment_regex: '^ ?sealed:'"
	seal "$source" "$name-unencrypted-comment.$ext" "$two" "unencrypted_comment_regex: '^ ?sealed:'"
done
seal nested.yaml mac-only.yaml "$two" 'mac_only_encrypted: true' 'encrypted_regex: ^password$'
seal secret.yaml kinds.yaml "age: '$a,$ssh'" 'encrypted_regex: ^(data|stringData)$'
seal secret.yaml quantum.yaml "age: $pq" 'encrypted_regex: ^(data|stringData)$'

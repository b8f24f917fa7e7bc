#!/usr/bin/env bats
# What stacks say of endpoints: which documents a host takes, with the real ssh-keygen.

bats_require_minimum_version 1.5.0

setup() {
  agents=$BATS_TEST_DIRNAME/../../../sdk/host/agents
  here=$BATS_TEST_TMPDIR
  state=$here/run truth=$here/truth kept=$here/kept lib=$agents/choose keys=$here/keys
  mkdir -p "$state" "$truth" "$kept" "$keys" "$here/store/lab/hosts/lux"
  FRA=6PM6M3yA+XrJtGFWhhjxQUu4LL4IL3LOwqJTGTYDeFw=
  HKG=6DCFSyBIIVwYiyuItkeX7qdIB0LlGv/uA6mGwuS1lCs=
  for who in net edge; do ssh-keygen -q -t ed25519 -N '' -C '' -f "$here/$who"; done
  {
    echo "net/prod namespaces=\"overlay-truth\" $(cat "$here/net.pub")"
    echo "edge/prod namespaces=\"overlay-truth\" $(cat "$here/edge.pub")"
  } >"$truth/signers"
  printf '%s\n' 'network lab' 'node lux' 'stack net/prod' "of $FRA net/prod fe80::2" "of $HKG edge/prod fe80::3" "source file $here/store" >"$truth/conf"
  store=$here/store/lab/hosts/lux/net.prod
}

# extract SERIAL LINE…: as its writer would write it.
extract() {
  printf '%s\n' 'overlay-extract 1' 'network lab' 'stack net/prod' "serial $1" 'node lux' 'overlay 10.255.0.0/24' \
    "peer $FRA inter-fra fra chooser" "endpoint $FRA 198.51.100.9 11001 10"
  shift
  for line in "$@"; do printf '%s\n' "$line"; done
}

# publish [KEY]: standard input, its end counted, and signed.
publish() {
  cat >"$here/text"
  echo "end $(wc -l <"$here/text")" >>"$here/text"
  publish_as_it_is "${1-net}"
}

publish_as_it_is() {
  rm -f "$here/text.sig"
  ssh-keygen -q -Y sign -n overlay-truth -f "$here/$1" "$here/text" 2>/dev/null
  cp "$here/text.sig" "$store.sig"
  cp "$here/text" "$store"
}

# look: one at the store; what is said, and nobody sleeps in a test.
look() { agent documents; }
begin() { agent kept_documents; }
agent() { OVERLAY_HERE=$here OVERLAY_WORK=$1 sh -euc '
  . "$0/documents.sh"
  sleep() { :; }
  run=$OVERLAY_HERE/run truth=$OVERLAY_HERE/truth kept=$OVERLAY_HERE/kept lib=$0 keys=$OVERLAY_HERE/keys
  set +e
  $OVERLAY_WORK' "$lib" 2>&1; }

known() { cat "$state/extract.net.prod" 2>/dev/null || :; }

@test "a good one is taken, one of a higher serial too, and nothing is said of one that is known" {
  extract 1 | publish
  [ "$(look)" = 'of net/prod: serial 1' ]
  known | grep -qx "endpoint $FRA 198.51.100.9 11001 10"
  known | grep -qx 'overlay 10.255.0.0/24 net/prod'
  [ -z "$(look)" ]
  extract 2 "endpoint $FRA 2001:db8:2::9 11001 20" | publish
  [ "$(look)" = 'of net/prod: serial 2' ]
  known | grep -qx "endpoint $FRA 2001:db8:2::9 11001 20"
  cmp "$state/text.net.prod" "$store"
}

@test "what was good counts from the start on, unless its signer is no longer trusted or it breaks off" {
  extract 1 | publish
  look
  extract 2 "endpoint $FRA 2001:db8:2::9 11001 20" | publish
  look
  rm "$state"/*
  mv "$here/store" "$here/away"
  [ -z "$(begin)" ]
  known | grep -qx "endpoint $FRA 2001:db8:2::9 11001 20"
  [ "$(look)" = "of net/prod: it cannot be had from the store ($store cannot be read): what is known stays" ]
  # All of it is one file: whatever moment the power fails at, it is that of before or that of now.
  [ "$(ls "$kept")" = net.prod ]
  sed '$d' "$kept/net.prod" >"$here/half"
  cp "$kept/net.prod" "$here/whole"
  for broken in "$here/half" /dev/null; do
    rm "$state"/*
    cp "$broken" "$kept/net.prod"
    [ "$(begin)" = "of net/prod: what was kept of it is refused: its signature is none of those in $truth/signers" ]
    [ -z "$(known)" ]
  done
  rm "$state"/*
  cp "$here/whole" "$kept/net.prod"
  sed -i '/^net/d' "$truth/signers"
  [ "$(begin)" = "of net/prod: what was kept of it is refused: its signature is none of those in $truth/signers" ]
}

@test "a forged one is refused, in one line, and what was known stays" {
  extract 1 | publish
  look
  known >"$here/before"
  extract 2 "endpoint $FRA 192.0.2.66 11001 5" | publish edge # a signer of another stack
  [ "$(look)" = "of net/prod: refused: its signature is none of net/prod in $truth/signers" ]
  [ -z "$(look)" ]
  extract 3 | publish
  sed -i 's/198.51.100.9/192.0.2.66/' "$store" # signed, and changed
  [ -z "$(look)" ] # refused as before, and that was said
  rm "$store.sig"
  extract 4 >"$store"
  [ "$(look)" = 'of net/prod: refused: it has no signature ('"$store.sig cannot be read)" ]
  cmp "$here/before" "$state/extract.net.prod"
}

@test "an older one that is played again is refused, and so is another of the same serial" {
  extract 5 | publish
  look
  extract 4 | publish
  [ "$(look)" = 'of net/prod: refused: serial 4 is not above 5, the one that is known' ]
  extract 5 "endpoint $FRA 192.0.2.66 11001 5" | publish
  [ "$(look)" = 'of net/prod: refused: serial 5 is not above 5, the one that is known' ]
  rm "$state"/* # the agent was started afresh
  extract 4 | publish
  [ "$(look)" = 'of net/prod: refused: serial 4 is not above 5, the one that is known' ]
}

@test "one that breaks off, is huge, malformed, or of a format from the future is refused with its reason" {
  extract 1 >"$here/text" && publish_as_it_is net
  [ "$(look)" = 'of net/prod: refused: it breaks off' ]
  { extract 1 && echo 'end 3'; } >"$here/text" && publish_as_it_is net
  [ "$(look)" = 'of net/prod: refused: it says that it has 3 lines, and has 8' ]
  { extract 1 && yes "endpoint $FRA 198.51.100.9 11001 10" | head -n 16000; } | publish
  [ "$(look)" = 'of net/prod: refused: it has more than 1048576 bytes' ]
  extract 1 | sed 's/^overlay-extract 1/overlay-extract 2/' | publish
  [ "$(look)" = 'of net/prod: refused: it has format 2, and this host knows format 1: update the host' ]
  extract 1 "endpoint $FRA 198.51.100.9;reboot 11001 10" | publish
  [ "$(look)" = 'of net/prod: refused: line 9 (endpoint) is malformed' ]
  extract 1 "relay $FRA $HKG fra hkg;reboot 3" | publish
  [ "$(look)" = 'of net/prod: refused: line 9 (relay) is malformed' ]
  for rest in 'fra hkg' 'fra hkg three' 'fra hkg 0' 'fra hkg 3 9'; do
    extract 1 "relay $FRA $HKG $rest" | publish
    [ -z "$(look)" ] # as before
    [ -z "$(known)" ]
  done
  extract one | publish
  [ "$(look)" = 'of net/prod: refused: it has no serial' ]
  head -c 1200000 /dev/urandom >"$here/text" && publish_as_it_is net
  [ "$(look)" = 'of net/prod: refused: it has more than 1048576 bytes' ]
  : >"$here/text" && publish_as_it_is net
  [ "$(look)" = 'of net/prod: refused: it breaks off' ]
  [ -z "$(known)" ]
}

@test "one of another network, node or stack is refused: two networks of one name have not the same keys" {
  extract 1 | sed 's/^network lab/network prod/' | publish
  [ "$(look)" = 'of net/prod: refused: it is of the network prod' ]
  extract 1 | sed 's/^node lux/node fra/' | publish
  [ "$(look)" = 'of net/prod: refused: it is for the node fra' ]
  extract 1 | sed 's,^stack net/prod,stack edge/prod,' | publish
  [ "$(look)" = 'of net/prod: refused: it is of the stack edge/prod' ]
}

@test "a relay is named with its id and the bytes beyond it, or, by an older stack, by its key alone" {
  extract 1 "relay $FRA $HKG fra hkg 3 1380" "relay $FRA $HKG fra hkg 3" "relay $FRA $HKG" | publish
  [ "$(look)" = 'of net/prod: serial 1' ]
  [ "$(known | grep -c ^relay)" = 3 ]
  extract 2 "relay $HKG $FRA hkg fra 2" | publish
  run -0 look
  [ "${lines[0]}" = "of net/prod: refused what it says of $HKG (line 9), of which it may not speak" ]
  [ "$(known | grep -c ^relay)" = 0 ]
}

@test "a stack speaks of its own peers alone; what this version does not know is skipped; both are told" {
  extract 1 "peer $HKG inter-hkg hkg chooser" "endpoint $HKG 192.0.2.66 11001 10" 'weather fine' | publish
  run -0 look
  [ "${#lines[@]}" = 3 ]
  [ "${lines[0]}" = 'of net/prod: skipped what this version does not know: weather' ]
  [ "${lines[1]}" = "of net/prod: refused what it says of $HKG (line 9), of which it may not speak" ]
  run -0 known
  [[ $output == *"$FRA"* && $output != *"$HKG"* ]]
}

@test "a store that cannot be reached is one line, and one when it is back; what is known stays" {
  extract 1 | publish
  look
  mv "$here/store" "$here/away"
  [ "$(look)" = "of net/prod: it cannot be had from the store ($store cannot be read): what is known stays" ]
  [ -z "$(look)$(look)" ]
  known | grep -q "$FRA"
  mv "$here/away" "$here/store"
  [ "$(look)" = 'of net/prod: serial 1' ]
}

@test "a bucket is read with credentials that are in no argument; what it answers is told by its code" {
  mkdir "$here/bin"
  cat >"$here/bin/curl" <<'EOT'
#!/bin/sh
echo "$*" >>"$OVERLAY_HERE/curl"
while [ $# -gt 1 ]; do case $1 in --config) credentials=$2 ;; --output) to=$2 ;; esac; shift; done
grep -q SECRET "$credentials" || exit 3
[ -z "${CURL_FAILS-}" ] || { printf 000; exit "$CURL_FAILS"; }
case $1 in *.sig) says=${CURL_SAYS_OF_SIG-} ;; *) says=${CURL_SAYS-} ;; esac
[ -z "$says" ] || { printf %s "$says"; exit 0; }
cp "$OVERLAY_HERE/store/${1#https://s3.example.net/truth/}" "$to" && printf 200
EOT
  chmod +x "$here/bin/curl"
  echo 'user = "ID:SECRET"' >"$keys/truth"
  sed -i "s,^source .*,source s3 https://s3.example.net/truth auto," "$truth/conf"
  extract 1 | publish
  PATH=$here/bin:$PATH
  [ "$(look)" = 'of net/prod: serial 1' ]
  [ "$(CURL_SAYS=500 look)" = 'of net/prod: it cannot be had from the store (HTTP 500): what is known stays' ]
  # Whatever an outage answers in turn, it is one line; a token that is refused is another.
  [ -z "$(CURL_FAILS=28 look)$(CURL_SAYS=503 look)$(CURL_FAILS=7 look)$(CURL_SAYS=503 look)" ]
  [ "$(CURL_SAYS=403 look)" = 'of net/prod: it cannot be had from the store (HTTP 403): what is known stays' ]
  [ "$(CURL_FAILS=28 look)" = 'of net/prod: it cannot be had from the store (curl: code 28): what is known stays' ]
  [ "$(look)" = 'of net/prod: serial 1' ]
  # Of the signature, too.
  extract 2 | publish
  [ "$(CURL_SAYS_OF_SIG=503 look)" = 'of net/prod: refused: it has no signature (HTTP 503)' ]
  [ -z "$(CURL_SAYS_OF_SIG=500 look)" ]
  grep -q 'lab/hosts/lux/net.prod$' "$here/curl"
  run -1 grep -q SECRET "$here/curl"
}

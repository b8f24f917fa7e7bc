# shellcheck shell=sh disable=SC2154 # what main.sh sets
# What stacks say of their nodes' endpoints: fetched, verified, and kept where it is good. Part of choose.sh on a host, beside
# whose rounds it runs: a store may be slow.

# Bytes that an extract may have.
most=1048576

# What a signature of ssh-keygen(1) begins with.
signature=-----BEGIN

# SHA-256 of no content.
nothing=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

# documents: one look at the store for each stack that may speak.
documents() {
  network=$(of_conf network) node=$(of_conf node)
  while read -r stack; do
    [ -z "$stack" ] || document
  done <<EOT
$(of_conf stack)
EOT
}

# kept_documents: what was good when it came is so still, unless a key is no longer trusted. In $run/text.* as it was fetched.
kept_documents() {
  while read -r stack; do
    file=$(file_of "$stack") why=''
    [ -f "$kept/$file" ] || continue
    sed "/^$signature/,\$d" "$kept/$file" >"$run/text.$file"
    sed -n "/^$signature/,\$p" "$kept/$file" >"$run/text.$file.sig"
    if signed "$run/text.$file" && read_extract "$run/text.$file"; then
      mv "$run/read.$file" "$run/extract.$file"
    else
      report "what was kept of it is refused: ${why:-its signature is none of those in $truth/signers}"
    fi
  done <<EOT
$(of_conf stack)
EOT
}

# keep FILE: with its signature behind it, all in one, because a power cut may come at any moment.
keep() {
  cat "$1" "$1.sig" >"$kept/$file.new" && sync "$kept/$file.new" && mv "$kept/$file.new" "$kept/$file"
}

of_conf() { sed -n "s/^$1 //p" "$truth/conf"; }
file_of() { printf '%s' "$1" | tr / .; }

document() {
  file=$(file_of "$stack") new=$run/fetched.$(file_of "$stack") why=''
  if ! fetch "$file" "$new"; then
    report 'it cannot be had from the store' " ($cause): what is known stays"
  elif [ -e "$run/extract.$file" ] && cmp -s "$new" "$run/text.$file"; then
    report "serial $(serial_of "$kept/$file")"
  else
    accept || report "refused: $why" "${cause:+ ($cause)}"
  fi
}

# The signature is another object: one of the two may be newer for a moment.
accept() {
  tries=0
  until verified; do
    tries=$((tries + 1))
    [ "$tries" -lt 2 ] || return 1
    sleep 2
    fetch "$file" "$new" || return 1
  done
  read_extract "$new" && newer || return 1
  why="it cannot be kept in $kept"
  keep "$new" && mv "$new" "$run/text.$file" && mv "$run/read.$file" "$run/extract.$file" && : >"$run/news" && cat "$run/notes.$file" || return 1
  report "serial $serial"
}

verified() {
  why="it has more than $most bytes"
  [ "$(wc -c <"$new")" -le "$most" ] || return 1
  fetch "$file.sig" "$new.sig" || { why='it has no signature' && return 1; }
  why="its signature is none of $stack in $truth/signers"
  signed "$new"
}

signed() {
  ssh-keygen -Y verify -f "$truth/signers" -I "$stack" -n overlay-truth -s "$1.sig" <"$1" >/dev/null 2>&1
}

# read_extract FILE: what counts of it is left in $run/read.$file.
read_extract() {
  awk -v stack="$stack" -f "$lib/prefix.awk" -f "$lib/extract.awk" "$truth/conf" "$1" >"$run/read.$file" 2>"$run/notes.$file" || return 1
  read -r word why <"$run/read.$file"
  [ "$word" != refused ]
}

serial_of() { sed -n 's/^serial //p' "$1" 2>/dev/null; }

newer() {
  serial=$(serial_of "$run/read.$file") before=$(serial_of "$kept/$file")
  why="serial $serial is not above $before, the one that is known"
  [ "$serial" -gt "${before:-0}" ] || cmp -s "$new" "$run/text.$file" # the same, signed anew
}

# fetch NAME FILE: from the first source that has it; else $cause says why not from the last.
fetch() {
  cause='no source is given'
  while read -r kind where region; do
    case $kind in
      file) from_file "$where/$network/hosts/$node/$1" "$2" && cause='' && return 0 ;;
      s3) from_s3 "$where/$network/hosts/$node/$1" "$region" "$2" && cause='' && return 0 ;;
    esac
  done <<EOT
$(of_conf source)
EOT
  return 1
}

from_file() {
  cause="$1 cannot be read"
  [ -r "$1" ] && head -c $((most + 1)) "$1" >"$2" 2>/dev/null
}

# The credentials are a file in the words of curl: user = "ID:SECRET". R2 and S3 want the hash of the content (here of none),
# which curl 7.88 does not add by itself, and later ones only where it is not given.
from_s3() {
  code=$(curl -q --silent --config "$keys/truth" --aws-sigv4 "aws:amz:$2:s3" --header "x-amz-content-sha256: $nothing" \
    --proto '=http,https' --connect-timeout 5 --max-time 20 --max-filesize "$most" --output "$3" --write-out '%{http_code}' \
    "$1" </dev/null 2>/dev/null)
  cause="curl: code $?"
  case $cause,$code in
    'curl: code 0,200') return 0 ;;
    'curl: code 0,'*) cause="HTTP $code" ;;
  esac
  return 1
}

# report STATE [CAUSE]: one line when it is another. An outage that answers this and that in turn is one; what a store refuses
# (HTTP 4xx) is another.
report() {
  said=''
  case ${2-} in *'HTTP 4'*) state=$1$2 ;; *) state=$1 ;; esac
  [ ! -r "$run/said.$file" ] || read -r said <"$run/said.$file"
  [ "$said" != "$state" ] || return 0
  printf '%s\n' "$state" >"$run/said.$file"
  printf 'of %s: %s\n' "$stack" "$1${2-}"
}

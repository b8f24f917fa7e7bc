# What a stack says of its nodes' endpoints and relays to this host: awk -v stack=PROJECT/STACK -f prefix.awk -f extract.awk CONF EXTRACT
# The signature holds by now. Prints the lines that count; or `refused WHY` alone, where the text as a whole is none.
# What is skipped is told on standard error.

function refuse(why) {
  if (refused == "") refused = why
}

function is_key(word) { return length(word) == 44 && word ~ /^[A-Za-z0-9+\/]+=$/ }
function is_number(word, least, most) { return word ~ /^[0-9]+$/ && length(word) < 16 && word + 0 >= least && word + 0 <= most }
function is_name(word) { return word ~ /^[A-Za-z0-9_.-]+$/ }
function is_prefix(word,   parts) {
  return split(word, parts, "/") == 2 && bits(parts[1]) != "" && is_number(parts[2], 0, length(bits(parts[1])) - 1)
}

# Whether a line is whole.
function sound() {
  if ($1 == "overlay") return NF == 2 && is_prefix($2)
  if ($1 == "peer") return NF == 5 && is_key($2) && is_name($3) && length($3) < 16 &&
      is_name($4) && ($5 == "chooser" || $5 == "follower")
  if ($1 == "endpoint") return NF == 5 && is_key($2) && bits($3) != "" && is_number($4, 1, 65535)
  if ($1 == "name") return NF == 6 && is_key($2) && $3 ~ /^[A-Za-z0-9][A-Za-z0-9.-]*$/ && is_number($4, 1, 65535) && $6 ~ /^(4|6|any)$/
  # Of an older stack it says keys alone, and nothing follows from it.
  if ($1 == "relay") return is_key($2) && is_key($3) && (NF == 3 || NF >= 6 && is_name($4) && is_name($5) &&
      is_number($6, 1, 65535) && (NF == 6 || is_number($7, 576, 65535)))
  return 1
}

FILENAME == ARGV[1] {
  if ($1 == "network") network = $2
  if ($1 == "node") node = $2
  if ($1 == "of") whose[$2] = $3
  next
}

FNR == 1 && $0 != "overlay-extract 1" {
  refuse($1 == "overlay-extract" && NF == 2 ? "it has format " substr($2, 1, 20) ", and this host knows format 1: update the host" : "it is no extract")
}
refused != "" { exit }
ended { refuse("something follows its end") }
!sound() { refuse("line " FNR " (" substr($1, 1, 20) ") is malformed") }

$1 == "network" && $2 != network { refuse("it is of the network " substr($2, 1, 60)) }
$1 == "stack" && $2 != stack { refuse("it is of the stack " substr($2, 1, 60)) }
$1 == "node" && $2 != node { refuse("it is for the node " substr($2, 1, 60)) }
$1 == "serial" && !is_number($2, 1, 999999999999999) { refuse("it has no serial") }
$1 ~ /^(network|stack|node|serial)$/ { said[$1]++ }
$1 == "serial" { keep[++kept] = $0 }
$1 == "overlay" { keep[++kept] = $0 " " stack }
$1 ~ /^(peer|endpoint|name|relay)$/ {
  if (whose[$2] == stack) keep[++kept] = $0
  else if (!($2 in others)) others[$2] = FNR
}
$1 == "end" {
  ended = 1
  if ($2 != FNR - 1) refuse("it says that it has " substr($2, 1, 20) " lines, and has " FNR - 1)
}
FNR > 1 && $1 !~ /^(network|stack|serial|node|overlay|peer|endpoint|name|relay|end)$/ && !unknown[$1]++ {
  skipped = skipped " " substr($1, 1, 20)
}

END {
  if (refused == "" && !ended) refused = "it breaks off"
  if (refused == "" && said["network"] said["stack"] said["node"] said["serial"] != "1111") refused = "it does not say once of whom and for whom it is"
  if (refused != "") {
    print "refused " refused
    exit
  }
  for (i = 1; i <= kept; i++) print keep[i]
  if (skipped != "") print "of " stack ": skipped what this version does not know:" skipped >"/dev/stderr"
  for (key in others) print "of " stack ": refused what it says of " key " (line " others[key] "), of which it may not speak" >"/dev/stderr"
}

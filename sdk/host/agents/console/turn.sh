# shellcheck shell=sh
# From what one set of boot files says to what another one says, by the lines that differ: other links lose nothing.

# turn OLD NEW, folders: `- COMMAND` for all that is to go, last things first, then `+ LINE` for all that is to come. What
# stands on a device or an nft table that goes or is made again (dev NAME, inet NAME) goes and comes with it. A daemon of Rosenpass,
# whose unit is no line of a boot file, ends before the preshared key that it sets, and begins after it.
turn() (
  set +f
  {
    for path in "$1"/*; do [ ! -e "$path" ] || sed 's/^/- /' "$path"; done
    for path in "$2"/*; do [ ! -e "$path" ] || sed 's/^/+ /' "$path"; done
  } | awk '
    # The word behind `name`, or nothing.
    function after(name,   i) {
      for (i = 2; i < NF; i++) if ($i == name) return $(i + 1)
      return ""
    }
    function device(   parts) {
      if ($2 == "wg") return $4
      if ($2 == "psk") return $3
      if ($2 == "sysctl") return split($4, parts, "/") > 4 && parts[3] == "conf" ? parts[4] : ""
      return after("dev")
    }
    function has(line, word) { return index(line " ", " " word " ") > 0 }

    { sign = $1; line = substr($0, 3) }
    line ~ /^(#|$)/ { next }
    {
      base = $2 == "nft" ? $5 " " $6 : device()
      if (sign == "-") { old[++olds] = line; oldBase[olds] = base; inOld[line] = 1 }
      else { new[++news] = line; newBase[news] = base; inNew[line] = 1 }
      if (line ~ /^ip link add dev /) { made[base, sign] = line }
      if (line ~ /^nft add (table|map|set|chain|rule) /) { made[base, sign] = made[base, sign] "\n" line }
      if ($2 == "wg" && $5 == "peer") { peer[$4 " " $6, sign] = line }
      if ($2 == "psk") { keyed[$6, sign] = $6 }
      if ($2 == "sysctl") { sub(/=.*/, "", $4); setting[$4, sign] = 1 }
    }
    END {
      for (key in made) {
        split(key, parts, SUBSEP)
        if (parts[2] == "-" && made[key] != made[parts[1], "+"]) gone[parts[1]] = 1
      }
      for (key in keyed) if (!((keyed[key], "+") in keyed)) print "- systemctl disable --now overlay-rosenpass@" keyed[key] ".service"
      for (i = olds; i > 0; i--) {
        line = old[i]; base = oldBase[i]; $0 = "- " line
        if (base in gone) {
          if (line ~ /^ip link add dev /) print "- ip link delete dev " base
          if (line ~ /^nft add table /) print "- nft delete table " base
          continue
        }
        if (line in inNew) continue
        if (line ~ /^(ip|ip -6) (addr|route|rule) add /) { sub(/ add /, " del ", line); print "- " line }
        else if (line ~ /^nft add element /) { sub(/ :.*/, " }", line); sub(/ add /, " delete ", line); print "- " line }
        else if (line ~ /^nft insert rule /) { sub(/ insert /, " delete ", line); print "- " line }
        else if (line ~ /^nft add counter /) { sub(/ add /, " delete ", line); print "- " line }
        else if ($2 == "wg" && $5 == "peer") {
          other = peer[$4 " " $6, "+"]
          # wg set leaves as it is what it is not told.
          if (other == "" || lacks(other, line)) { print "- wg set " $4 " peer " $6 " remove"; again[other] = 1 }
        }
        else if ($2 == "psk") { if (!(($6, "+") in keyed)) print "- psk " $3 " " $4 " none " $6 }
        else if ($2 == "sysctl") {
          sub(/=.*/, "", $4)
          if (!(($4, "+") in setting)) print "- restore sysctl " $4
        }
      }
      for (i = 1; i <= news; i++)
        if (!(new[i] in inOld) || newBase[i] in gone || new[i] in again) print "+ " new[i]
      for (key in keyed)
        if (!((keyed[key], "-") in keyed)) {
          print "+ systemctl enable overlay-rosenpass@" keyed[key] ".service"
          print "+ systemctl start overlay-rosenpass@" keyed[key] ".service"
        }
    }
    function lacks(other, line) {
      return has(line, "endpoint") && !has(other, "endpoint") ||
        has(line, "persistent-keepalive") && !has(other, "persistent-keepalive") ||
        has(line, "preshared-key") && !has(other, "preshared-key")
    }'
)

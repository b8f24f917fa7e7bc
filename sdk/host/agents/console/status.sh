# shellcheck shell=sh
# overlay-host status: for somebody at three in the morning. Keys of others are public; nothing else of a key is shown.

host_status() {
  owner='nobody'
  if [ -r /etc/overlay/owner ]; then read -r owner </etc/overlay/owner; fi
  say "This host, $(uname -n), belongs to the stack $owner."
  ! pends || say 'WARNING: a change waits for its confirmation, and is taken back within seconds if none comes.'
  [ ! -e "${overlay_run:?}/stopped" ] || say "It was STOPPED here at $(until_when "$overlay_run/stopped"), by overlay-host stop."
  say
  say UNITS
  for unit in overlay-early.service overlay-late.service; do
    say "  $unit  $(systemctl is-enabled "$unit" 2>&1 || :) at boot"
  done
  systemctl list-units --all --no-legend --plain 'overlay-wireguard-go@*' | awk '{ print "  " $1 "  " $3 " (" $4 ")" }'
  say
  say DEVICES
  our_devices | while read -r device; do tell_device "$device"; done
  say
  tell_dropped
  tell_keys
  say GENERATIONS
  tell_generations
  say
  missing=$(missing_lines)
  if [ -z "$(boot_lines)" ]; then
    say 'There is no boot file: nothing is declared for this host.'
  elif [ -z "$missing" ]; then
    say 'All lines of the boot files hold.'
  else
    say "THESE LINES OF THE BOOT FILES DO NOT HOLD (\`overlay-host start\` tries them again):"
    printf '%s\n' "$missing" | sed 's/^/  /'
    return 1
  fi
}

tell_device() {
  alias='' state=down
  read -r alias <"/sys/class/net/$1/ifalias" || :
  read -r mtu <"/sys/class/net/$1/mtu"
  read -r flags <"/sys/class/net/$1/flags"
  if [ $((flags & 1)) = 1 ]; then state=up; fi
  say "  $1  $state, mtu $mtu  $alias"
  # Never $1 of the first line, the private key, nor a peer's $2, its preshared key.
  timeout 5 wg show "$1" dump 2>/dev/null | awk -v now="$(date +%s)" '
    NR == 1 { print "    listens on UDP port " $3; next }
    {
      ago = $5 == 0 ? "NO HANDSHAKE YET" : "handshake " now - $5 " s ago" (now - $5 > 180 ? ", no session now" : "")
      print "    peer " $1 "  " ($3 == "(none)" ? "(where it is, is not known)" : $3)
      print "      " ago ", received " $6 " B, sent " $7 " B"
    }' || :
}

# What our own table has dropped: the loop guard, packets of a link that were about to be sent into a tunnel; the forward
# chain and that against forged sources, what no relay was declared for.
tell_dropped() {
  nft list table inet overlay 2>/dev/null | awk '
    $1 == "chain" { chain = $2 }
    (chain == "forward" || chain == "spoofed") && / counter packets [0-9]+ .*drop$/ {
      sub(/.* counter packets /, "")
      dropped[chain] += $1
      next
    }
    $1 == "counter" && $3 == "{" { name = $2 }
    $1 == "packets" && name != "" { if ($2 > 0) { sub(/^link-/, "", name); rose(name, $2) } name = "" }
    $1 == "counter" && $2 == "packets" { if ($3 > 0) rose("an unknown link", $3) }
    function rose(name, packets) {
      print "WARNING: " packets " encrypted packets of " name " were about to be sent into a tunnel, and were dropped:"
      print "  the way to its endpoint leads by a tunnel. See `ip route get ENDPOINT mark 0x6f`."
      any = 1
    }
    function told(chain, what) {
      if (dropped[chain] == 0) return
      print "DROPPED: " dropped[chain] " packets " what " (`nft list chain inet overlay " chain "`)."
      any = 1
    }
    END {
      told("forward", "from or to a link, which no pair of a relay lets through")
      told("spoofed", "that came by another link than the one that leads back to their source")
      if (any) print ""
    }' || :
}

# The keys of Rosenpass, by the files of its daemons.
tell_keys() (
  set +f
  title='POST-QUANTUM KEYS'
  for path in /etc/overlay/rosenpass/*.conf; do
    [ -e "$path" ] || return 0
    [ -z "$title" ] || say "$title"
    title='' name=${path##*/}
    name=${name%.conf}
    rosenpass_report "$name" | awk -v name="$name" -v unit="$(systemctl is-active "overlay-rosenpass@$name.service" 2>&1)" '
      { word = $1; sub(/^[^ ]* /, ""); said[word] = $0 }
      END {
        print "  " name "  " ("exchanged" in said ? "exchanged " said["exchanged"] " s ago" : "NO EXCHANGE YET") \
          ("psk" in said ? ", SHA-256 of the key " substr(said["psk"], 1, 12) : ", NO KEY") \
          (unit == "active" ? "" : ", its daemon is " unit)
        print "    " ("protected" in said ? "what goes by the link is protected" : "the session of now was made WITHOUT A POST-QUANTUM KEY")
        if ("trouble" in said) print "    " said["trouble"]
      }'
  done
  say
)

tell_generations() {
  numbers=$(generations)
  [ -n "$numbers" ] || say '  none yet: no run has changed the boot files of this host'
  for number in $numbers; do
    folder=${overlay_etc:?}/generations/$number
    say "  $number  what this host booted from until $(until_when "$folder")"
    turn "$overlay_etc/boot.d" "$folder" | awk -v files="$(differing "$folder")" '
      { if ($1 == "-") less++; else more++ }
      END { print "     " (files == "" ? "the same as now" : "differs in " files ": -" less + 0 " +" more + 0 " lines to go back") }'
  done
}


# Names of boot files that a generation has otherwise.
differing() (
  set +f
  for path in "$1"/* "$overlay_etc"/boot.d/*; do printf '%s\n' "${path##*/}"; done | sort -u | while read -r file; do
    cmp -s "$1/$file" "$overlay_etc/boot.d/$file" || ! cat "$1/$file" "$overlay_etc/boot.d/$file" 2>/dev/null | says_something - ||
      printf '%s\n' "$file"
  done | paste -s -d ' '
)

# shellcheck shell=sh disable=SC2154,SC3013 # what main.sh and psk.sh set; every shell of a host has -nt
# What is done about a daemon's lines, and about the lines that it should have said by now. Part of rosenpass.sh on a host.

every=15 # seconds between two looks, each of which costs a process
overdue=160 # seconds without an exchange: one comes after 130 s at most, and is tried for some more

watch() {
  fresh='' silent='' off_way='' exchanged_at='' alone=yes
  (while sleep "$every"; do echo tick; done) >"$keep/lines" 3>&- &
  [ -z "$delay" ] || [ -n "$called" ] || [ -z "$endpoints" ] || later "$delay" late
  restored
  while read -r line <&3; do
    case $line in
      tick) look ;;
      'output-key '*' exchanged') take ;;
      'output-key '*' stale') spoiled ;;
      taken) give ;;
      silent) judge ;;
      uncalled) with_lock uncalled || : ;;
      late) call ;;
    esac
  done
}

# later SECONDS LINE: like the daemon, it ends where nobody reads any more, for it does not read itself. The host's lock is not its.
later() { (sleep "$1" && echo "$2") >"$keep/lines" 3>&- 9>&- & }

uptime() {
  read -r now _ </proc/uptime
  now=${now%.*}
}

# anew REASON [SIGNAL]: systemd starts the daemon, and this, again.
anew() {
  printf '%s\n' "$1" >&2
  kill -s "${2-TERM}" $$
  exit
}

# The key is read at once. It is given to WireGuard when all that the daemon had said by then is read, too: where this process
# has slept for minutes, the file has been written over by what is stale.
take() {
  fresh=''
  if read_key "$keep/key"; then fresh=$key; fi
  echo taken >&3
}

# A key of 180 s ago: who is strict lets nothing pass from now on.
spoiled() {
  fresh=''
  [ "$mode" = permissive ] || close
}

# give: the key of an exchange becomes the peer's, now or when there is one again. While a change holds the host's lock, which
# may be long, it is tried again.
give() {
  [ -n "$fresh" ] || return 0
  key=$fresh
  if with_lock give_key; then
    uptime
    printf '%s %s\n' "$now" "$peer" >"$keep/exchanged"
    : >"$keep/fresh"
    exchanged_at=$now fresh='' silent=''
    [ "$mode" != permissive ] || keep_key
  else
    trouble "a new key is not set yet: $said"
    later 2 taken
  fi
}

give_key() {
  write_psk
  if ! see_peer "$device" "$peer"; then
    trouble "$said"
    return 0
  fi
  if [ -e "$keep/trouble" ]; then rm "$keep/trouble"; fi
  note_first
  use_psk "$device" "$peer" || return
  # The other end has to have the key before it is called, and calls that cross are both in vain: one goes first.
  if sessionless; then
    if [ -n "$called" ] && [ -z "$delay" ]; then later 0.3 uncalled; else later 0.8 uncalled; fi
  fi
}

# keep_key: for the next boot, which finds the one before or this one, whenever the power goes.
keep_key() {
  [ -d "$rosenpass_kept" ] || mkdir -p "$rosenpass_kept"
  kept=$rosenpass_kept/$name
  said=$({
    printf '%s %s\n' "$key" "$peer" >"$kept.overlay-new" && sync "$kept.overlay-new" && mv -f "$kept.overlay-new" "$kept"
  } 2>&1 9>&-) || trouble "the key is not kept for the next boot: $said"
}

# Nobody has called since the key was set, as who takes its session for a live one does not.
uncalled() {
  was=$handshake
  see_peer "$device" "$peer" || return
  if [ "$handshake" = "$was" ] && [ "$endpoint" != '(none)' ]; then remake_peer "$device" "$peer"; fi
}

# sessionless: no session would end with the peer. By the host's own clock: where that was set, it looks as if there were one.
sessionless() {
  [ -e "$keep/dead" ] || return 1
  read -r why <"$keep/dead" || why=''
  rm -f "$keep/dead"
  [ "$handshake" = 0 ] || [ "$why" = unheard ] || [ $(($(date +%s) - handshake)) -ge 180 ]
}

with_lock() {
  exec 9>>"$overlay_run/lock"
  said='a change of this host is under way'
  if flock -w 10 9 && "$@"; then set -- 0; else set -- 1; fi
  exec 9>&-
  return "$1"
}

close() {
  with_lock set_psk "$device" "$peer" closed "$name" || trouble "the key is stale, and not replaced yet: $said"
}

# What a device has lost that was made anew: the key goes with it.
restored() {
  glance || return 0
  with_lock set_psk "$device" "$peer" "$mode" "$name" || trouble "$said"
}

trouble() {
  printf '%s\n' "$1" >"$keep/trouble"
  printf '%s\n' "$1" >&2
}

look() {
  uptime
  # A daemon that is stopped answers nobody, and ends when it goes on.
  read -r stat </proc/$$/stat
  stat=${stat##*) }
  case $stat in [Tt]*) anew 'the daemon was frozen' KILL ;; esac
  last=${exchanged_at:-$began}
  [ $((now - last)) -lt "$overdue" ] || anew "no exchange for $((now - last)) s"
  was=$seen_device
  glance || return 0
  [ "$was" = "$seen_device" ] || with_lock set_psk "$device" "$peer" "$mode" "$name" || trouble "$said"
  if [ "$mode" = strict ] && [ -s "$keep/exchanged" ] && ! good_key; then close; fi
  follow
  if [ -n "$endpoints" ] && [ -n "$exchanged_at" ]; then
    if [ -n "$alone" ]; then
      if [ -z "$silent" ] && unheard; then judge; fi
    elif [ -n "$silent" ] || [ "$sent" != "$was_sent" ]; then
      judge # of a mesh's peers the device's counters do not tell which is silent, only that nobody was sent anything
    fi
  fi
}

# glance: reads what costs no process; fails where the device is not there.
glance() {
  seen_device=''
  at=/sys/class/net/$device
  [ -r "$at/ifindex" ] && read -r seen_device <"$at/ifindex" || return
  was_received=$received was_packets=$packets was_sent=$sent
  at=$at/statistics
  read -r received <"$at/rx_bytes" && read -r packets <"$at/rx_packets" && read -r sent <"$at/tx_packets"
}

# A device of one peer has sent more than a keepalive since the look before, and has heard nothing but calls for a handshake:
# 148 bytes, the WireGuard paper, section 5.4.2. All other messages have 32 and a multiple of 16 bytes, an answer 92.
unheard() { [ $((sent - was_sent)) -ge 2 ] && [ $((received - was_received)) = $((148 * (packets - was_packets))) ]; }

# judge: when this side has called for a handshake in vain for some 15 s though there was an exchange, the keys of the two ends
# differ, as after a boot of the other one, and this daemon knows of nothing. A new one exchanges keys at once.
judge() {
  uptime
  see_peer "$device" "$peer" || return 0
  if [ -z "$silent" ] || [ $(((heard - was_heard) % 148)) != 0 ]; then
    before=$silent silent=$now was_heard=$heard was_told=$told
    # Heard again: the device's own counters will say when it begins anew.
    if [ -n "$alone" ] && [ -n "$before" ]; then silent=''; fi
  elif [ $((now - silent)) -ge 8 ] && [ $(((told - was_told) % 16)) != 0 ]; then
    echo unheard >"$keep/dead"
    anew 'no handshake in spite of an exchange: exchanging keys anew'
  elif [ $((now - silent)) -gt 30 ]; then
    silent='' # it has said nothing that wants an answer
  fi
  if [ -n "$alone" ] && [ -n "$silent" ]; then later 4 silent; fi
}

# follow: WireGuard has gone by another of the endpoints for 20 s, or does so when the next exchange is near: so does the daemon.
follow() {
  case $endpoints in ' '*' '*) ;; *) return 0 ;; esac
  way_is_due || return 0
  : >"$keep/asked"
  now_by=$(way) || now_by=$called
  if [ "$now_by" = "$called" ] || [ -z "$called" ]; then
    off_way=''
  elif [ $((now - last)) -ge 100 ] || { [ -n "$off_way" ] && [ $((now - off_way)) -ge 20 ]; }; then
    anew "WireGuard calls the other end by $now_by"
  elif [ -z "$off_way" ]; then
    off_way=$now
    later 20 tick
  fi
}

# way_is_due: to ask wg costs more than all else that is done at rest. So it is asked when choose.sh has told of another way, or is
# to be seen to stay there; and, for those of whom it tells nothing, in one look before the next exchange.
way_is_due() {
  [ -n "$off_way" ] || [ "$overlay_run/choice" -nt "$keep/asked" ] ||
    { [ $((now - last)) -ge 100 ] && [ $((now - last)) -lt $((100 + every)) ]; }
}

# Nobody has called in the time that was to be waited.
call() {
  [ -z "$exchanged_at" ] || return 0
  : >"$keep/late"
  anew 'nobody has called: calling'
}

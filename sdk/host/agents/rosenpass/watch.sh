# shellcheck shell=sh disable=SC2154,SC2034,SC3013 # what main.sh and psk.sh set; every shell of a host has -nt
# What is done about a daemon's lines, and about the lines that it should have said by now. Part of rosenpass.sh on a host.

every=15 # seconds between two looks, where there may be something to see
overdue=160 # seconds without an exchange: one comes after 130 s at most, and is tried for some more
crossing=2  # seconds between the two exchanges of calls that have crossed, at most
recall=8    # seconds in which the other end, where it is to call once more, has done so

watch() {
  fresh='' silent='' off_way='' exchanged_at='' taken_at='' crossed='' alone=yes had='(none)'
  wg_limit='' # its process costs as much as that of wg; who waits for ever is ended by hung
  (while rest && sleep "$pause" && ! hung; do if is_due; then echo tick; fi; done) >"$keep/lines" 3>&- &
  [ -z "$delay" ] || [ -n "$called" ] || [ -z "$endpoints" ] || later "$delay" late
  restored
  while read -r line <&3; do
    uptime
    printf '%d\n' "$now" >"$keep/busy"
    case $line in
      tick) look ;;
      'output-key '*' exchanged') take ;;
      'output-key '*' stale') spoiled ;;
      taken) give ;;
      silent) judge ;;
      uncalled) with_lock uncalled || : ;;
      late) call ;;
      crossed) [ -z "$crossed" ] || call_again ;;
    esac
    : >"$keep/busy"
  done
}

# rest: leaves in $pause the seconds until a look, each of which costs a process. Where keys are exchanged, the next exchange would
# be overdue then: what chooses endpoints says tick when it has chosen. Who alone calls has to see by itself that the other
# end knows of no session any more.
rest() {
  pause=$every
  if [ -n "$sole" ] || [ ! -e "$keep/fresh" ] || [ -s "$keep/trouble" ] || [ ! -s "$keep/exchanged" ]; then return 0; fi
  read -r last _ <"$keep/exchanged"
  uptime
  [ $((last + overdue - now)) -le "$every" ] || pause=$((last + overdue - now))
}

# is_due: no exchange has come since that sleep began.
is_due() {
  slept=$pause
  rest
  [ "$slept" -le "$every" ] || [ "$pause" -le "$every" ]
}

# hung: what is done about a line ends within seconds, unless wireguard-go is frozen; the host's lock is held meanwhile.
hung() {
  [ -s "$keep/busy" ] && read -r since <"$keep/busy" || return
  uptime
  [ $((now - since)) -ge 30 ] || return
  anew 'wg has not answered for 30 s'
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
  if [ -n "$crossed" ]; then
    crossed=''
    : >"$keep/dead"
  elif has_crossed; then untangle; fi
  taken_at=$now fresh=''
  if read_key "$keep/key"; then fresh=$key; fi
  echo taken >&3
}

# has_crossed: an exchange has come hard upon another. Where each end calls before it has heard the other's call, both are
# answered, and each takes the key of its own call first and that of the other's last: they differ until the next exchange,
# which begins at both in the same moment (Rosenpass 0.2, handle_resp_hello, handle_init_conf and SessionPtr::retire_at).
has_crossed() { [ -n "$taken_at" ] && [ $((now - taken_at)) -le "$crossing" ]; }

# untangle: one of the two calls once more, to which the other, that has a session, has no reason. An older release there does not:
# then the other end does, when no third exchange has come. If they had one key all the same, that costs an exchange.
untangle() {
  [ -n "$endpoints" ] || return 0
  [ -n "$delay" ] || call_again
  crossed=yes
  later "$recall" crossed
}

call_again() {
  : >"$keep/dead"
  call_now 'two calls have crossed: calling once more'
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
  key=$fresh given=''
  ! with_lock give_key || given=yes
  uptime
  taken_at=$now # the next line may have waited meanwhile
  if [ -n "$given" ]; then
    printf '%s %s\n' "$now" "$peer" >"$keep/exchanged"
    : >"$keep/fresh"
    exchanged_at=$now fresh='' silent=''
    [ "$mode" != permissive ] || keep_key
    last=$now
    follow
  else
    trouble "a new key is not set yet: $said"
    later 2 taken
  fi
}

# One look at the peer each time: whether this made one that had just been removed, the next one sees.
give_key() {
  write_psk
  if ! see_peer "$device" "$peer" || ! not_made "$device" "$peer"; then
    had='(none)' endpoint='(none)'
    trouble "$said"
    return 0
  fi
  had=$allowed
  note_first
  set_key "$device" "$peer" || return
  eased
  # The other end has to have the key before it is called, and calls that cross are both in vain: one goes first.
  if sessionless; then
    if [ -n "$called" ] && [ -z "$delay" ]; then later 0.3 uncalled; else later 0.8 uncalled; fi
  fi
}

# keep_key: for the next boot. Whose power goes in that moment has none then, and exchanges one as who has an old one does.
keep_key() {
  [ -d "$rosenpass_kept" ] || mkdir -p "$rosenpass_kept"
  printf '%s %s\n' "$key" "$peer" >"$rosenpass_kept/$name" ||
    trouble "the key is not kept for the next boot: $rosenpass_kept/$name cannot be written"
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
restored() { ! glance || set_again; }

set_again() {
  with_lock set_psk "$device" "$peer" "$mode" "$name" || { trouble "$said" && return; }
  eased
  if [ "$mode" = permissive ] && exchanged_with "$peer" && read_key "$keep/psk"; then keep_key; fi
}

trouble() {
  old=''
  [ ! -s "$keep/trouble" ] || read -r old <"$keep/trouble"
  [ "$old" != "$1" ] || return 0
  printf '%s\n' "$1" >"$keep/trouble"
  printf '%s\n' "$1" >&2
}

eased() { [ ! -s "$keep/trouble" ] || : >"$keep/trouble"; }

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
  if [ "$was" != "$seen_device" ] || [ -s "$keep/trouble" ]; then set_again; fi
  if [ "$mode" = strict ] && [ -s "$keep/exchanged" ] && ! good_key; then close; fi
  if way_is_due && see_peer "$device" "$peer"; then
    : >"$keep/asked"
    follow
  fi
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
  if [ -z "$silent" ] || [ $((now - silent)) -gt 30 ] || [ $(((heard - was_heard) % 148)) != 0 ]; then
    before=$silent silent=$now was_heard=$heard was_told=$told
    # Heard again, or not called for so long: the device's own counters will say when it begins anew.
    if [ -n "$alone" ] && [ -n "$before" ]; then silent=''; fi
  elif [ $((now - silent)) -ge 8 ] && [ $(((told - was_told) % 16)) != 0 ]; then
    echo unheard >"$keep/dead"
    anew 'no handshake in spite of an exchange: exchanging keys anew'
  fi
  if [ -n "$alone" ] && [ -n "$silent" ]; then later 4 silent; fi
}

# follow: WireGuard has gone by another of the endpoints for 20 s, or does so when the next exchange is near: so does the daemon.
# After see_peer.
follow() {
  if [ -z "$called" ] || ! way || [ "$by" = "$called" ]; then
    off_way=''
  elif [ $((now - last)) -ge 100 ] || { [ -n "$off_way" ] && [ $((now - off_way)) -ge 20 ]; }; then
    anew "WireGuard calls the other end by $by"
  elif [ -z "$off_way" ]; then
    off_way=$now
    later 20 tick
  fi
}

# way_is_due: to ask wg costs more than all else that a look does. So it is asked when choose.sh has told of another way, or is to
# be seen to stay there; without that, an exchange tells.
way_is_due() { [ -n "$off_way" ] || [ "$overlay_run/choice" -nt "$keep/asked" ]; }

# Nobody has called in the time that was to be waited.
call() {
  [ -z "$exchanged_at$fresh" ] || return 0
  call_now 'nobody has called: calling'
}

# call_now REASON: a daemon calls when it starts.
call_now() {
  : >"$keep/late"
  anew "$1"
}

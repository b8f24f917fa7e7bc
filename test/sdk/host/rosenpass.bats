#!/usr/bin/env bats
# shellcheck disable=SC2016 # what stands in single quotes is for the shells under test
# What one link's file makes of Rosenpass, and files that are no text, under each shell that is here.

bats_require_minimum_version 1.5.0

setup() {
  agents=$BATS_TEST_DIRNAME/../../../sdk/host/agents
  here=$BATS_TEST_TMPDIR
}

# in_each_shell SCRIPT: once for each shell; SCRIPT finds the parts of rosenpass.sh loaded, but for main.
in_each_shell() {
  for shell in dash 'bash --posix' 'busybox ash'; do
    command -v "${shell%% *}" >/dev/null || continue
    echo "# $shell"
    rm -rf "${here:?}/etc" "$here/run" && mkdir -p "$here/etc/rosenpass" "$here/etc/keys" "$here/run"
    # shellcheck disable=SC2086
    $shell -euc "for part in networkd steps batches verbs files rosenpass/psk rosenpass/keys rosenpass/conf rosenpass/watch; do
        . '$agents'/\$part.sh
      done
      overlay_etc='$here/etc' overlay_run='$here/run' name=lux-fra keep='$here/run' here='$here'
      begin_steps stop
      $1"
  done
}

@test "the file of a link becomes what Rosenpass reads" {
  in_each_shell '
    cat >"$here/conf" <<EOT
binary /usr/local/lib/overlay/rosenpass/rosenpass
mode strict
device inter-lux
peer hVXQ=
port 12001
endpoint 203.0.113.5:12002
endpoint [2001:db8::5]:12002
EOT
    read_conf "$here/conf"
    see_peer() { return 1; } # WireGuard knows of no other
    listen() { printf "\"[::]:%s\"" "$port"; }
    calls
    overlay_etc=/etc/overlay keep=/run/overlay/rosenpass/lux-fra toml >"$here/toml"
    diff "$here/toml" - <<EOT
public_key = "/etc/overlay/keys/rosenpass.public"
secret_key = "/etc/overlay/keys/rosenpass.secret"
listen = ["[::]:12001"]
verbosity = "Quiet"

[[peers]]
public_key = "/etc/overlay/rosenpass/lux-fra.peer"
endpoint = "203.0.113.5:12002"
key_out = "/run/overlay/rosenpass/lux-fra/key"
EOT'
}

@test "who has a delay answers first, and calls where nobody has called" {
  in_each_shell '
    endpoints=" 203.0.113.5:12002" delay=1 device=inter-lux peer=hVXQ=
    see_peer() { return 1; }
    ! calls
    [ -z "$called" ]
    : >"$keep/late"
    calls
    [ "$called" = 203.0.113.5:12002 ]
    [ ! -e "$keep/late" ]
    ! calls'
}

@test "the daemon calls where WireGuard does, and where that is none of its endpoints the first" {
  in_each_shell '
    endpoints=" 203.0.113.5:12002 [2001:db8::5]:12002" delay="" device=inter-lux peer=hVXQ=
    timeout() {
      printf "private\tpublic\t1\toff\nAAAA=\tKEY\t192.0.2.1:9\t::/0\t7\t0\t0\toff\nhVXQ=\tKEY\t%s\t::/0\t7\t0\t0\toff\n" "$at_now"
    }
    at_now="[2001:db8::5]:11002"
    calls
    [ "$called" = "[2001:db8::5]:12002" ]
    at_now="192.0.2.99:11002"
    calls
    [ "$called" = 203.0.113.5:12002 ]'
}

@test "a port that somebody has is known" {
  [ -r /proc/net/udp ] || skip "this machine has no /proc/net/udp"
  in_each_shell '
    ! bound 1
    grep() { command grep "$1" "$2" "$3" "$here/udp"; }
    echo "  12: 00000000:2EE1 00000000:0000 07 00000000:00000000" >"$here/udp"
    bound 12001
    ! bound 12002'
}

@test "a file that is no text arrives whole, or not at all" {
  head -c 20000 /dev/urandom >"$here/binary"
  sum=$(sha256sum <"$here/binary")
  sum=${sum%% *}
  in_each_shell "
    steps stop <<EOT
decode 0755 $here/etc/program $sum gz:$(gzip -c "$here/binary" | base64 -w 0)
decode 0600 $here/etc/key $sum $(base64 -w 0 "$here/binary")
EOT
    cmp $here/etc/program $here/binary
    cmp $here/etc/key $here/binary
    [ \"\$(stat -c %a $here/etc/program $here/etc/key | tr '\\n' ' ')\" = '755 600 ' ]
    ! steps stop <<EOT || exit 1
decode 0600 $here/etc/key $sum $(head -c 3000 "$here/binary" | base64 -w 0)
EOT
    [ \"\$failed_line: \$said\" = 'decode 0600 $here/etc/key: $here/etc/key has not arrived whole: its SHA-256 is another' ]
    cmp $here/etc/key $here/binary
    [ ! -e $here/etc/key.overlay-new ]"
}

@test "a key pair is made where an attempt before it left something, and one that fails leaves nothing" {
  # Like rosenpass, it writes over no file.
  cat >"$here/gen-keys" <<'EOT'
#!/bin/sh
set -C
head -c 524160 /dev/zero >"$3" && head -c "${secret:-13568}" /dev/zero >"$5"
EOT
  chmod +x "$here/gen-keys"
  in_each_shell '
    keys=$here/etc/keys
    : >"$keys/rosenpass.secret.overlay-new"
    if secret=99 make_pair "$here/gen-keys"; then exit 1; fi
    [ "$said" = "$keys/rosenpass.secret.overlay-new has 99 bytes, and not 13568: a key of another version of Rosenpass, or not all of it" ]
    [ -z "$(ls "$keys")" ]
    : >"$keys/rosenpass.public.overlay-new"
    make_pair "$here/gen-keys"
    [ "$(ls "$keys" | tr "\n" " ")" = "rosenpass.public rosenpass.secret " ]'
}

@test "a key that was kept is for the peer alone with which it was exchanged, and goes with the name" {
  in_each_shell '
    rosenpass_kept=$here/etc/kept keep=$here/run/rosenpass/lux-fra key=KEY4567890123456789012345678901234567890123=
    see_peer() { psk="(none)" handshake=0 allowed=::/0; }
    wg_set() { printf "%s\n" "$*" >>"$here/told"; }
    told() { cat "$here/told" && rm "$here/told"; }
    mkdir -p "$rosenpass_kept"
    echo "$key LUX=" >"$rosenpass_kept/lux-fra"
    set_psk inter-lux LUX= permissive lux-fra
    [ "$(told)" = "inter-lux peer LUX= preshared-key $keep/psk" ]
    [ "$(cat "$keep/psk")" = "$key" ]

    set_psk inter-lux ANOTHER= permissive lux-fra
    [ "$(told)" = "inter-lux peer ANOTHER= preshared-key /dev/null" ]
    set_psk inter-lux ANOTHER= permissive lux-fra
    [ ! -e "$here/told" ]

    echo "5 LUX=" >"$keep/exchanged" && echo "$key" >"$keep/psk"
    set_psk inter-lux LUX= permissive lux-fra
    [ "$(told)" = "inter-lux peer LUX= preshared-key $keep/psk" ]
    set_psk inter-lux ANOTHER= permissive lux-fra
    [ "$(told)" = "inter-lux peer ANOTHER= preshared-key /dev/null" ]
    [ ! -e "$keep/exchanged" ]

    steps stop <<EOT
forget lux-fra
EOT
    [ ! -e "$rosenpass_kept" ]
    [ ! -e "$here/run/rosenpass" ]'
}

@test "what is put off holds the lock of the host no longer than who puts it off" {
  in_each_shell '
    mkfifo "$keep/lines"
    exec 3<>"$keep/lines"
    put_off() { later 1 uncalled; }
    with_lock put_off
    flock -w 0.5 "$overlay_run/lock" true # the other has just been forked
    read -r line <&3
    [ "$line" = uncalled ]'
}

@test "a session that was made while the peer had no key is not protected by the next one" {
  in_each_shell '
    device=inter-lux peer=LUX= mode=permissive rosenpass_kept=$here/etc/kept psk="(none)" handshake=7 called="" delay=""
    had="(none)"
    see_peer() { allowed=::/0; }
    wg_set() { psk=KEY; }
    given() { key=KEY give_key && cat "$keep/first"; }
    [ "$(given)" = 7 ]
    given && handshake=9
    [ "$(given)" = 7 ] # handshakes with a key before and after
    psk="(none)"       # somebody took it away, or made the peer again
    [ "$(given)" = 9 ]
    wg() { echo RANDOM; }
    remake_peer() { psk=RANDOM; }
    later() { :; }
    set_psk inter-lux LUX= strict lux-fra
    first=$here/run/rosenpass/lux-fra/first
    [ "$(cat "$first")" = 9 ]
    set_psk inter-lux LUX= permissive lux-fra # no exchange, no key
    [ ! -e "$first" ]
    psk="(none)" handshake=11
    key=KEY give_key
    [ "$(cat "$first")" = 11 ]'
}

@test "who is permissive keeps the last key, or says why not" {
  in_each_shell '
    device=inter-lux peer=LUX= mode=permissive rosenpass_kept=$here/etc/kept called=""
    with_lock() { :; }
    umask 077
    fresh=KEY give
    [ "$(cat "$rosenpass_kept/lux-fra") $(stat -c %a "$rosenpass_kept/lux-fra")" = "KEY LUX= 600" ]
    fresh=ANOTHER give
    [ "$(cat "$rosenpass_kept/lux-fra")" = "ANOTHER LUX=" ]
    [ ! -e "$keep/trouble" ]
    rm "$rosenpass_kept/lux-fra" && mkdir "$rosenpass_kept/lux-fra"
    fresh=KEY give
    [ "$(cat "$keep/trouble")" = "the key is not kept for the next boot: $rosenpass_kept/lux-fra cannot be written" ]'
}

@test "what was complained of is tried again at the next look, and said no more when it has passed" {
  in_each_shell '
    device=inter-lux peer=LUX= mode=permissive rosenpass_kept=$here/etc/kept endpoints="" exchanged_at=5 began=0 seen_device="" off_way=""
    key=KEY4567890123456789012345678901234567890123=
    uptime() { now=10; }
    glance() { seen_device=3; }
    with_lock() { "$@"; }
    set_psk() { said="inter-lux has no peer LUX=" && "$there"; }
    there=false
    seen() { look && cat "$keep/trouble"; }
    [ "$(seen)" = "inter-lux has no peer LUX=" ]
    there=true seen_device=3
    echo "$key" >"$keep/psk" && echo "5 LUX=" >"$keep/exchanged"
    [ -z "$(seen)" ]
    [ "$(cat "$rosenpass_kept/lux-fra")" = "$key LUX=" ]'
}

@test "two exchanges at once are of calls that have crossed: one end calls once more, the other where no third comes" {
  in_each_shell '
    mkfifo "$keep/lines"
    exec 3<>"$keep/lines"
    anew() { echo "$1" && exit; }
    later() { echo "later $*"; }
    endpoints=" 203.0.113.5:12002" crossed="" taken_at=""
    # What comes of exchanges at these times.
    at() { for now in "$@"; do take; done; }
    delay=""
    [ -z "$(at 1000 1003 1123)" ]
    [ ! -e "$keep/late" ]
    [ "$(at 1000 1001)" = "two calls have crossed: calling once more" ]
    [ -e "$keep/late" ] # without waiting
    [ -e "$keep/dead" ] # a session may be begun
    rm "$keep/late" "$keep/dead"

    delay=1
    [ "$(at 1000 1002)" = "later 8 crossed" ]
    [ "$(at 1000 1000 1001 && echo "crossed=$crossed")" = "later 8 crossed
crossed=" ]
    [ -e "$keep/dead" ]
    rm "$keep/dead"
    endpoints="" delay="" # it cannot call
    [ -z "$(at 1000 1000)" ]
    endpoints=" 203.0.113.5:12002"

    # A key that had to wait for the lock of the host has kept the next line waiting.
    device=inter-lux peer=LUX= mode=strict called="" taken_at=1000 fresh=KEY
    with_lock() { :; }
    uptime() { now=1009; }
    give
    [ "$(at 1009)" = "two calls have crossed: calling once more" ]'
}

@test "where keys are exchanged nothing is looked at before the next one would be overdue" {
  in_each_shell '
    sole="" now_is=1000
    uptime() { now=$now_is; }
    next() { rest && echo "$pause"; }
    [ "$(next)" = 15 ] # none yet
    echo "970 LUX=" >"$keep/exchanged"
    [ "$(next)" = 15 ] # that was of the daemon before
    : >"$keep/fresh"
    [ "$(next)" = 130 ]
    rest && now_is=1130
    is_due
    echo "1090 LUX=" >"$keep/exchanged"
    now_is=1000 && rest && now_is=1130
    ! is_due
    [ "$(next)" = 120 ]
    echo "970 LUX=" >"$keep/exchanged"
    now_is=1125
    [ "$(next)" = 15 ]
    now_is=1000 sole=yes
    [ "$(next)" = 15 ]
    sole=""
    echo "inter-lux has no peer LUX=" >"$keep/trouble"
    [ "$(next)" = 15 ]'
}

@test "what waits for wg for ever is begun anew" {
  in_each_shell '
    anew() { echo "$1"; }
    uptime() { now=1000; }
    ! hung
    echo 990 >"$keep/busy"
    ! hung
    echo 970 >"$keep/busy"
    [ "$(hung)" = "wg has not answered for 30 s" ]'
}

@test "a peer that is removed while it gets its key does not come back" {
  in_each_shell '
    psk=KEY device=inter-lux peer=LUX=
    dump() { printf "private\tpublic\t1\toff\n%s" "$1" >"$here/dump"; }
    timeout() {
      shift 2
      case $* in
        "show inter-lux dump") cat "$here/dump" ;;
        *) echo "$*" >>"$here/told" && dump "$made" ;;
      esac
    }
    there=$(printf "LUX=\tKEY\t(none)\t::/0\t7\t0\t0\toff\n")
    made=$there
    dump "$there" && see_peer inter-lux LUX=
    use_psk inter-lux LUX=
    [ "$(cat "$here/told")" = "set inter-lux peer LUX= preshared-key $keep/psk" ]
    rm "$here/told"
    made=$(printf "LUX=\tKEY\t(none)\t(none)\t0\t0\t0\toff\n")
    if use_psk inter-lux LUX=; then exit 1; fi
    [ "$said" = "inter-lux has no peer LUX=" ]
    [ "$(tail -n 1 "$here/told")" = "set inter-lux peer LUX= remove" ]
    rm "$here/told"
    # The reader of a daemon sees it when it comes to the next key.
    key=KEY called="" delay="" had="(none)"
    dump "$there" && give_key
    [ ! -e "$keep/trouble" ]
    give_key
    [ "$(tail -n 1 "$here/told")" = "set inter-lux peer LUX= remove" ]
    [ "$(cat "$keep/trouble")" = "inter-lux has no peer LUX=" ]
    rm "$here/told"'
}

@test "a daemon goes where WireGuard does when that has stayed there, and at once where the next exchange is near" {
  in_each_shell '
    endpoints=" 203.0.113.5:12002 [2001:db8::5]:12002" called=203.0.113.5:12002 off_way="" last=1000
    anew() { echo "$1"; }
    later() { echo "later $*"; }
    # What came of a look at that time.
    at() {
      now=$1
      said=$(follow && echo "off_way=$off_way" >"$here/off") && . "$here/off"
      printf "%s\n" "${said:-nothing}"
    }
    endpoint=203.0.113.5:11002
    [ "$(at 1015)" = nothing ]
    endpoint="[2001:db8::5]:11002"
    [ "$(at 1015; at 1034; at 1036)" = "later 20 tick
nothing
WireGuard calls the other end by [2001:db8::5]:12002" ]
    [ "$(at 1015; endpoint=203.0.113.5:11002; at 1034; endpoint="[2001:db8::5]:11002"; at 1036)" = "later 20 tick
nothing
later 20 tick" ]
    [ "$(at 1100)" = "WireGuard calls the other end by [2001:db8::5]:12002" ]
    endpoint=192.0.2.99:11002 # by none that is known
    [ "$(at 1100)" = nothing ]'
}

@test "wg is asked for its way when what chooses has told of another, or that is to be seen to stay" {
  in_each_shell '
    off_way=""
    : >"$keep/asked"
    ! way_is_due
    touch -d "+1 second" "$overlay_run/choice"
    way_is_due
    touch -d "+2 seconds" "$keep/asked"
    ! way_is_due
    off_way=1015
    way_is_due'
}

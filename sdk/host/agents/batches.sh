# shellcheck shell=sh disable=SC2154,SC2034 # what steps.sh sets and reads
# Consecutive lines of one tool, done by one process of it: $batch, one a line. Part of steps.sh on a host.

# take N: moves line N of $batch into $line and leaves what comes after it in $batch.
take() {
  take_left=$1
  while [ "$take_left" -gt 1 ]; do
    batch=${batch#*"$newline"}
    take_left=$((take_left - 1))
  done
  line=${batch%%"$newline"*}
  batch=${batch#*"$newline"}
}

# flush_batch ip|bridge: they have the same words for what fails.
flush_batch() {
  case $batch in *'link add dev '* | *'link delete dev '*) note_devices ;; esac
  while [ -n "$batch" ]; do
    tell "$1" -batch - <<EOT && return 0
$batch
EOT
    code=$?
    number=${said##*Command failed -:}
    number=${number%%[!0-9]*}
    said=${said%%Command failed -:*}
    said=${said%"$newline"}
    take "${number:-1}"
    if kernel_lacks_wireguard && command -v wireguard-go >/dev/null; then
      device=${line#link add dev }
      line="ip $line"
      wireguard_go start "${device%% *}" || failed $? || return
      continue
    fi
    if address_is_new; then
      batch=$line$newline$batch
      continue
    fi
    if still_held; then
      batch="route append ${line#route add }$newline$batch"
      continue
    fi
    line="$1 $line"
    exists_already || failed "$code" || return
  done
}

# A new IPv6 address is tentative until a kernel thread has looked at it, even where it then skips duplicate address
# detection; until then no route may have it as its source (net/ipv6/addrconf.c, addrconf_dad_work). Two seconds in all.
address_is_new() {
  case $line,$said in 'route '*' src '*','*'nvalid source address'*) ;; *) return 1 ;; esac
  [ "$patience" -gt 0 ] || return 1
  patience=$((patience - 1))
  sleep 0.02
}

# Another device of ours still has the route and is about to go, as where a mesh takes a link's place: the new route stands
# behind the old one until then, and no packet is without one.
still_held() {
  case $mode,$line,$said in stop,'route add '*' proto 111 '*,*'File exists'*) ;; *) return 1 ;; esac
  set -- "${line#route add }"
  set -- "${1%% *}"
  case $1 in
    *:*) set -- -6 "$1" ;;
    *) set -- -4 "$1" ;;
  esac
  [ -n "$(ip "$1" route show table all "$2" proto 111 9>&-)" ]
}

exists_already() {
  case $mode,$said in boot,*'File exists'* | boot,*'ddress already assigned'*) ;; *) return 1 ;; esac
}

# Where it does, the next look says so, also where wireguard-go is still to be installed.
kernel_lacks_wireguard() {
  case $line in 'link add dev '*' type wireguard') ;; *) return 1 ;; esac
  case $said in *'Unknown device type'* | *'Operation not supported'*) ;; *) return 1 ;; esac
  mkdir -p "$overlay_run" && : >"$overlay_run/userspace"
}

flush_nft() {
  while [ -n "$batch" ]; do
    tell nft -f - <<EOT && return 0
$batch
EOT
    code=$?
    number=${said#*/dev/stdin:}
    number=${number%%[!0-9]*}
    number=${number:-1}
    if [ "$mode" != boot ]; then
      take "$number"
      line="nft $line"
      failed "$code"
      return
    fi
    # Without the line that is wrong, for the others are one transaction still.
    line="nft $(printf %s "$batch" | sed -n "${number}p")"
    failed "$code"
    batch=$(printf %s "$batch" | sed "${number}d")
    batch=$batch${batch:+$newline}
  done
}

# At boot: rules are the one thing of nft that is there twice when it is added twice, so a table that stands keeps its own.
# One for a chain of somebody else's, which may not be there yet, stands alone.
keep_rules() {
  case $1 in
    'add table '*)
      flush
      batch_tool=nft
      # shellcheck disable=SC2086 # a table is two words: family and name
      if tell nft list table ${1#add table }; then skip_rules="$skip_rules(${1#add table })"; fi
      return 1
      ;;
    'add rule '*)
      set -- "${1#add rule }"
      table=${1#* }
      case $skip_rules in *"(${1%% *} ${table%% *})"*) ;; *) return 1 ;; esac
      ;;
    'insert rule '*)
      flush
      # shellcheck disable=SC2086 # family, table, chain and the rule, which nft prints as it was given; set -f is on
      set -- ${1#insert rule }
      if ! tell nft list chain "$1" "$2" "$3" || ! has_rule "$@"; then
        batch_tool=nft batch="insert rule $*$newline"
        flush
      fi
      batch_tool=nft
      ;;
    *) return 1 ;;
  esac
}

# has_rule FAMILY TABLE CHAIN RULE…: $said shows it.
has_rule() {
  shift 3
  case $said in *"$*"*) ;; *) return 1 ;; esac
}

# Lines of one tool and verb that take any number of words: together, and where that fails one by one, to know which it is.
flush_words() {
  queue=$batch words='' count=0
  IFS=$newline
  for line in $queue; do words="$words ${line#"$batch_tool"}" count=$((count + 1)); done
  unset IFS
  batch=''
  if [ "$count" -gt 1 ]; then
    # shellcheck disable=SC2086 # here lines become words; set -f is on
    case $batch_tool in
      wg*) run 10 $batch_tool $words </dev/null ;;
      *enable) enable_units $words ;;
      *) run 60 systemctl --no-reload disable --now $words </dev/null && reload=yes ;; # else each reloads all units
    esac && return 0
  fi
  batch_tool=''
  IFS=$newline
  for line in $queue; do
    unset IFS
    one_step "$line" || return
  done
}

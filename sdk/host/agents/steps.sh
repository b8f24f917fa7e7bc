# shellcheck shell=sh disable=SC2034 # what batches.sh, verbs.sh and files.sh read
# Carries out Commands: one a line, first word the tool, the rest its own words. Used over SSH by apply.sh and on the
# host by boot.sh. A line is split at white space and handed over as arguments; no shell ever parses it.
#
# Each process costs a host a millisecond or more, so consecutive lines of one tool are one batch of it (batches.sh). Every
# tool loses file descriptor 9, which holds the lock, and has a time limit where one can end it. What a line says that is no batch's: verbs.sh
# and files.sh.

overlay_etc=/etc/overlay
overlay_run=/run/overlay
newline='
'

# steps MODE: carries out standard input. (All of it is read at once: `read` asks the kernel for each byte.)
# stop  ends at the first line that fails and leaves it in $failed_line, $failed_code and $said.
# boot  goes on, takes what exists already for done, and prints the lines that failed.
steps() {
  begin_steps "$1"
  IFS=$newline
  # shellcheck disable=SC2013 # lines they are
  for line in $(cat 9>&-); do
    unset IFS
    step "$line" || return
  done
  unset IFS
  end_steps
}

begin_steps() {
  set -f
  mode=$1 batch='' part='' part_lines=0 batch_tool='' reload='' redefined='' devices_added='' skip_rules='' patience=100 folders='' daemons='' psk_due=''
}

step() {
  line=$1
  case $line in
    '#'*) ;;
    'ip -'*) one_step "$line" ;;
    'ip '*) enqueue ip "${line#ip }" ;;
    'bridge '*) enqueue bridge "${line#bridge }" ;;
    'nft '*) enqueue nft "${line#nft }" ;;
    'wg set '*' endpoint '[!0-9[]*) one_step "$line" ;; # a name may need its time, or never resolve
    'wg set '*)
      words=${line#wg set }
      case $line in *' peer '*) psk_due="$psk_due ${words%% *}" ;; esac
      enqueue "wg set ${words%% *}" "$line"
      ;;
    'systemctl enable '*) enqueue 'systemctl enable' "$line" ;;
    'systemctl disable --now '*) enqueue 'systemctl disable --now' "$line" ;;
    'put '* | 'genkey '* | 'keepkey '*) enqueue put "$line" ;;
    *) one_step "$line" ;;
  esac
}

end_steps() {
  flush && daemon_reload && restart_daemons && sync_folders && restore_psks
}

# enqueue TOOL LINE: for the batch of a tool, after the one before.
enqueue() {
  if [ "$batch_tool" != "$1" ]; then flush || return; fi
  batch_tool=$1
  case $1$mode in
    nftboot) if keep_rules "$2"; then return 0; fi ;;
    put*)
      enqueue_file "$2"
      return
      ;;
  esac
  part=$part$2$newline part_lines=$((part_lines + 1))
  [ "$part_lines" -lt 100 ] || join
}

# In two steps, because each copies all there is: of ten thousand lines one by one that takes seconds.
join() {
  batch=$batch$part part='' part_lines=0
}

flush() {
  join
  case ${batch:+$batch_tool} in
    ip | bridge) flush_batch "$batch_tool" ;;
    nft) flush_nft ;;
    'wg set '* | systemctl*) flush_words ;;
    put) flush_files ;;
  esac || return
  batch='' batch_tool=''
}

one_step() {
  flush || return
  line=$1 said=''
  # shellcheck disable=SC2086 # here a line becomes words; set -f is on
  set -- $line
  case $1 in systemctl | apt-get) daemon_reload && restart_daemons || return ;; esac
  case $1 in
    ip | wg) run_once "$@" ;;
    sysctl) set_sysctl "${3%%=*}" "${line#*=}" ;;
    systemctl) use_systemctl "$@" ;;
    apt-get) shift 2 && install_packages "$@" ;;
    ufw) run 60 "$@" </dev/null ;;
    firewall-cmd) firewall_cmd "$line" ;;
    remove) remove "$2" ;;
    keypair) make_pair "$2" ;;
    decode) decode "$2" "$3" "$4" "$5" ;;
    psk) set_psk "$2" "$3" "$4" "$5" ;;
    forget) forget "$2" ;;
    retire) retire "$2" ;;
    restore) restore_sysctl "$3" ;;
    *) said="steps.sh has no verb \"$1\"" && false ;;
  esac || failed $?
}

# run SECONDS TOOL…: what the tool says is left in $said.
run() {
  run_limit=$1
  shift
  said=$(timeout "$run_limit" "$@" 2>&1 9>&-)
}

# tell TOOL…: the same of one that ends by itself. What speaks to the kernel alone has its answer at once, or is stuck where no
# signal is heard; a question to systemd has a limit of its own, sd_bus_set_method_call_timeout(3).
tell() { said=$("$@" 2>&1 9>&-); }

# failed CODE: $line did not hold.
failed() {
  if [ "$mode" = boot ]; then
    printf '%s\n' "$line"
    printf '%s: %s\n' "$line" "$said" >&2
    return 0
  fi
  failed_line=$line failed_code=$1
  return 1
}

# shellcheck shell=sh
# What a snapshot shows of the firewalls of others, where it is asked for: each keeps its rules in its own way.

# firewall NAME: what lets ports in there; no section where the host has no such thing.
firewall() {
  case $1 in
    ufw)
      command -v ufw >/dev/null || return 0
      section 'firewall ufw'
      grep -s -h '^### tuple ### ' /etc/ufw/user.rules /etc/ufw/user6.rules
      grep -s -i -x 'IPV6=yes' /etc/default/ufw | tr '[:upper:]' '[:lower:]'
      ;;
    firewalld)
      command -v firewall-cmd >/dev/null || return 0
      section 'firewall firewalld'
      firewalld_rules
      ;;
    *)
      # shellcheck disable=SC2086 # family, table and chain
      rules=$(nft -a list chain $1 2>/dev/null) || return 0
      section "firewall $1"
      printf '%s\n' "$rules" | grep 'comment "overlay:'
      ;;
  esac
}

# firewall-cmd takes a quarter of a second for each question, busctl a hundredth. Where nobody answers, the files say.
firewalld_rules() {
  if rules=$(firewalld_asked '' org.fedoraproject.FirewallD1.zone getRichRules s '' 2>/dev/null); then
    rich_rules runtime "$rules"
    interfaces runtime "$(firewalld_asked '' org.fedoraproject.FirewallD1.zone getInterfaces s '')"
    case $(firewalld_asked '' org.fedoraproject.FirewallD1.zone getZoneSettings2 s '' 2>/dev/null) in
      *'"forward" b true'*) echo forward ;;
    esac
    zone=$(firewalld_asked '' org.fedoraproject.FirewallD1 getDefaultZone | cut -d '"' -f 2)
    path=$(firewalld_asked /config org.fedoraproject.FirewallD1.config getZoneByName s "$zone" | cut -d '"' -f 2)
    path=${path#/org/fedoraproject/FirewallD1}
    rich_rules permanent "$(firewalld_asked "$path" org.fedoraproject.FirewallD1.config.zone getRichRules)"
    interfaces permanent "$(firewalld_asked "$path" org.fedoraproject.FirewallD1.config.zone getInterfaces)"
  else
    echo stopped
    timeout 20 firewall-offline-cmd --list-rich-rules 2>/dev/null | sed -n 's/^rule priority="111" /permanent &/p'
    timeout 20 firewall-offline-cmd --list-interfaces 2>/dev/null | tr ' ' '\n' | sed -n 's/^./permanent interface &/p'
  fi
}

# firewalld_asked PATH METHOD…
firewalld_asked() {
  path=$1
  shift
  timeout 10 busctl call org.fedoraproject.FirewallD1 "/org/fedoraproject/FirewallD1$path" "$@"
}

# rich_rules WHICH 'as N "RULE" "RULE"', busctl(1): those of our priority; quotes inside of a rule are written \".
rich_rules() {
  printf '%s\n' "$2" | awk -v which="$1" '{
    sub(/^as [0-9]+ ?"?/, "")
    sub(/"$/, "")
    count = split($0, rules, "\" \"")
    for (at = 1; at <= count; at++) {
      gsub(/\\"/, "\"", rules[at])
      if (rules[at] ~ /^rule priority="111" /) print which, rules[at]
    }
  }'
}

# interfaces WHICH 'as N "DEVICE" "DEVICE"'
interfaces() {
  printf '%s\n' "$2" | tr ' ' '\n' | sed -n "s/^\"\(.*\)\"$/$1 interface \1/p"
}

# closed_chains HOOK [DEVICE]: base chains of others there that drop or reject what none of their rules lets pass; not those
# of whom somebody has said already that they let pass what comes by DEVICE. There may be thousands of rules behind them
# (kube-proxy's): they are not looked at, nor is more than the base chains themselves.
closed_chains() {
  passing=${2-}
  chains=''
  if command -v nft >/dev/null; then chains=$(nft list chains); fi
  case $chains in *" hook $1 "*) closed_nft_chains "$1" ;; esac
  legacy_chain iptables "$1" ip /proc/net/ip_tables_names
  legacy_chain ip6tables "$1" ip6 /proc/net/ip6_tables_names
}

# closed_nft_chains HOOK: those of $chains.
closed_nft_chains() {
  printf '%s\n' "$chains" | awk -v hook="$1" '
    $1 == "table" { family = $2; table = $3 }
    $1 == "chain" { chain = $2 }
    $1 == "type" && $2 == "filter" && $4 == hook && family ~ /^(inet|ip|ip6)$/ && table !~ /^overlay/ {
      print family, table, chain, /policy drop;/ ? "drop" : "accept"
    }' | while read -r family table chain policy; do
    verdict='policy drop'
    rules=$(nft list chain "$family" "$table" "$chain")
    if [ "$policy" != drop ]; then verdict=$(printf '%s\n' "$rules" | last_verdict); fi
    if [ -n "$passing" ] && printf '%s\n' "$rules" | lets_pass; then continue; fi
    closed_chain "$family" "$table" "$chain" "$verdict"
  done
}

# Of the rules of `nft list chain`. Ours are not asked: the change that follows may be about to take them away.
lets_pass() {
  grep -v 'comment "overlay:' | grep -q -E "iifname [^\"]*(\"[^\"]*\", )*\"$passing\".* (accept|jump|goto)"
}

# The last rule of `nft list chain`, where it is one for everything that has come so far.
last_verdict() {
  awk '/^\t\t/ && $1 != "type" { last = $0 }
    END {
      gsub(/^\t+|counter packets [0-9]+ bytes [0-9]+ | comment ".*"$/, "", last)
      sub(/^log( (prefix "[^"]*"|level [a-z]+|flags all))* /, "", last)
      if (last ~ /^(drop|reject)( |$)/) print last
    }'
}

# Rules of iptables that nft does not show. It is asked only where there are some: the question itself makes the table.
legacy_chain() {
  has_line "$4" filter && command -v "$1-legacy" >/dev/null || return 0
  chain=$(printf '%s' "$2" | tr '[:lower:]' '[:upper:]')
  verdict=$("$1-legacy" -S "$chain" | awk -v device="$passing" '
    $1 == "-P" && $3 == "DROP" { policy = "policy drop" }
    $1 == "-A" { last = $3 == "-j" && $4 ~ /^(DROP|REJECT)$/ ? tolower($4) : "" }
    device != "" && index($0, " -i " device " ") && $0 !~ /-j (DROP|REJECT)/ { passes = 1 }
    END { if (!passes) print policy != "" ? policy : last }')
  closed_chain "$3" filter "$chain" "$verdict" legacy
}

# closed_chain FAMILY TABLE CHAIN VERDICT [legacy]
closed_chain() {
  [ -n "$4" ] || return 0
  by=nftables
  case $1,$2,$3 in
    *,firewalld,*) by=firewalld ;;
    ip,filter,[A-Z]* | ip6,filter,[A-Z]*)
      by=iptables${5:+-legacy}
      if grep -q -s -i -x 'ENABLED=yes' /etc/ufw/ufw.conf; then by=ufw; fi
      ;;
  esac
  if [ -n "$passing" ] && is_passed "$1"; then return 0; fi
  printf '%s %s %s %s %s\n' "$by" "$1" "$2" "$3" "$4"
}

# is_passed FAMILY: somebody has told $by already what becomes of what comes by the device; no base chain shows it.
is_passed() {
  case $by in
    ufw)
      grep -s -E "^### tuple ### route:allow .* in_$passing(!| |\$)" "/etc/ufw/user${1#ip}.rules" |
        grep -q -v 'comment=6f7665726c61793a' # overlay:
      ;;
    firewalld)
      zone=$(firewalld_asked '' org.fedoraproject.FirewallD1.zone getZoneOfInterface s "$passing" 2>/dev/null) || return
      [ "$zone" != 's ""' ]
      ;;
    *) return 1 ;;
  esac
}

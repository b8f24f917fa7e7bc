# shellcheck shell=sh
# overlay-host export: the boot files as a shell script of nothing but wg-quick, ip, sysctl and nft. Whoever leaves this
# tool goes on with it; whoever stays reads what there is. No secret is in it, only where the private key lies.

host_export() {
  [ -n "$(boot_lines)" ] || fail 'there is nothing to export: /etc/overlay/boot.d has no file'
  if new_devices_have_ipv6; then ipv6=1; else ipv6=''; fi
  boot_lines | awk -v host="$(uname -n)" -v ipv6="$ipv6" '
    function after(name,   i) { for (i = 2; i < NF; i++) if ($i == name) return $(i + 1); return "" }
    function quoted(text) { gsub(/\047/, "\047\\\047\047", text); return "\047" text "\047" }
    function add(section, line) { part[section] = part[section] line "\n" }
    # The device of a line, as long as it is one that wg-quick makes.
    function device(   parts, name) {
      name = /^wg / ? $3 : /^sysctl / && split($3, parts, "/") > 4 ? parts[4] : after("dev")
      return name in quick ? name : ""
    }
    function peer(   text) {
      text = "\n[Peer]\nPublicKey = " $5 "\nAllowedIPs = " after("allowed-ips")
      if (after("endpoint") != "") text = text "\nEndpoint = " after("endpoint")
      if (after("persistent-keepalive") != "") text = text "\nPersistentKeepalive = " after("persistent-keepalive")
      return text
    }
    # One whole command of sh.
    function plain(line) {
      if (line ~ /^nft /) return "nft " quoted(substr(line, 5))
      if (line ~ /^sysctl -w /) return "sysctl -w " quoted(substr(line, 11))
      return line
    }

    /^(#|$)/ { next }
    /^psk / { keyed = keyed " " $5; next }
    /^ip link add dev .* type wireguard$/ { quick[$5] = 1; names[++count] = $5 }
    { lines[++n] = $0 }
    END {
      for (i = 1; i <= n; i++) {
        $0 = lines[i]
        of = device()
        if (of == "") { if ($1 == "ip" && $2 == "link" || after("dev") != "") add("later", plain($0)); else add("first", plain($0)) }
        else if (/^wg set [^ ]* peer /) add(of " peers", peer())
        else if (/^wg set /) {
          add(of, "ListenPort = " after("listen-port") "\nFwMark = " after("fwmark"))
          add(of " keys", "PostUp = wg set %i private-key " after("private-key"))
        }
        # Where IPv6 is off for new devices, an address can only come after the setting that turns it on.
        else if (/^ip addr add /) { if (ipv6 || !/:/) add(of, "Address = " $4); else add(of " after", "PostUp = ip addr add " $4 " dev %i") }
        else if (/^ip link set /) {
          if (after("mtu") != "") add(of, "MTU = " after("mtu"))
          # The rules of nft know our devices by their group. Without a key yet, nothing has passed before they do.
          if (after("group") != "") add(of " group", "PostUp = ip link set dev %i group " after("group"))
        }
        else if (/^sysctl /) { sub("/" of "/", "/%i/"); add(of " settings", "PostUp = " $0) }
        else if (!/^ip link add /) { sub(" dev " of " ", " dev %i "); add(of " after", "PostUp = " $0) }
      }
      print "#!/bin/sh"
      print "# The overlay network of " host ", without overlay: run this as root after `overlay-host stop` and"
      print "# `systemctl disable overlay-early overlay-late`. The private keys stay where the files below say. Where overlay itself"
      print "# is to be removed (pulumi destroy), copy them first and run this afterwards: devices of group 28417 and these tables"
      print "# would go with it. As long as it is there, two files of it stay active: after the next boot, a reload of nftables.service"
      print "# brings these tables back (/etc/systemd/system/nftables.service.d/50-overlay.conf), and networkd leaves routes and rules"
      print "# of others alone (/etc/systemd/networkd.conf.d/50-overlay.conf). wg-quick brings its links back at boot; the other lines"
      print "# are gone then, and belong with whatever sets up the rest of this host."
      if (keyed != "") {
        print "# Preshared keys are not in it, for Rosenpass changes them: stop it at both ends of" keyed ", and clear them there:"
        print "# wg set DEVICE peer KEY preshared-key /dev/null"
      }
      print "set -euC # a file that is there already is not written over"
      print "umask 077"
      print ""
      printf "%s", part["first"]
      for (i = 1; i <= count; i++) {
        of = names[i]
        print "\ncat >/etc/wireguard/" of ".conf <<\047EOT\047"
        print "# /etc/wireguard/" of ".conf"
        printf "[Interface]\nTable = off\n%s%s%s%s%s%s", part[of], part[of " group"], part[of " keys"], part[of " settings"], part[of " after"], part[of " peers"]
        print "EOT"
      }
      print ""
      for (i = 1; i <= count; i++) print "systemctl enable --now wg-quick@" names[i]
      printf "%s", part["later"]
    }'
}

new_devices_have_ipv6() { grep -qsx 0 /proc/sys/net/ipv6/conf/default/disable_ipv6; }

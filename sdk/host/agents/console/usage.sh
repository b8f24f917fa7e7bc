#!/bin/sh
# The overlay network of this host, from its console: needs neither Pulumi nor the network. Everything is done from what
# is on the host itself, /etc/overlay/boot.d and the boot files of before (generations.sh).
set -eu

usage() {
  cat <<'TEXT'
overlay-host: the overlay network of this host, from its console.

  overlay-host status             what there is, what does not hold, and the generations to go back to
  overlay-host rollback [NUMBER]  back to a generation, the newest where none is named; says first what it will do, and
                                  asks. Once more, and it is undone
  overlay-host stop               takes devices, routes, rules and tables of the overlay down; the files stay
  overlay-host start              brings up what the boot files say
  overlay-host export             prints the same as plain wg-quick files and ip, sysctl and nft lines: the way out

  --yes   does not ask

Exit codes: 0 as asked; 1 not, or not all of it, and it was said why; 2 called wrongly.
`pulumi refresh` shows what was done here, and `pulumi up` then brings back what is declared.
TEXT
}

# shellcheck shell=sh disable=SC2154 # root, cache and making come from lib.sh
# The root file system of the lab's hosts. test/lab/rootfs.sh knows whether it is there (--check) and makes it.

rootfs_ready() { [ "$(lab_hindrance)" ] || as_root sh "$root/test/lab/rootfs.sh" --check >/dev/null 2>&1; }

rootfs_make() { as_root sh "$root/test/lab/rootfs.sh" >/dev/null; }

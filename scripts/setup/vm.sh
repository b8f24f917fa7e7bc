# shellcheck shell=sh disable=SC2154 # root, cache and making come from lib.sh
# What the lab's hosts with a kernel of their own start from. test/lab/vm/image.sh knows whether it is there (--check)
# and makes it.

vm_ready() { [ "$(lab_hindrance)$(qemu_hindrance)" ] || vm_image --check >/dev/null 2>&1; }

vm_make() { vm_image >/dev/null; }

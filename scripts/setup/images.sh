# shellcheck shell=sh disable=SC2154 # root and lab_images come from lib.sh and can.sh
# Other root file systems than the lab's usual one: of other releases, and with other managers of networks at hand. Where
# a mirror cannot give one, the tests that need it are skipped with the reason (can.sh); it is tried again in a day.

images_ready() { [ "$(lab_hindrance)" ] || [ -z "$(images_to_make)" ]; }

# no_image SUITE: what says that it could not be made.
no_image() { echo "$cache/failed/$1-$(hash_of "$root/test/lab/rootfs.sh")"; }

images_to_make() {
  for suite in $lab_images; do
    lately "$(no_image "$suite")" || as_root sh "$root/test/lab/rootfs.sh" --check "$suite" >/dev/null 2>&1 || echo "$suite"
  done
}

images_make() {
  for suite in $(images_to_make); do
    as_root sh "$root/test/lab/rootfs.sh" "$suite" >/dev/null || {
      note_failure "$(no_image "$suite")"
      say "  Tests on hosts of $suite will be skipped; it is tried again in a day."
    }
  done
}

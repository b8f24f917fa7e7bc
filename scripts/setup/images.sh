# shellcheck shell=sh disable=SC2154 # root and lab_images come from lib.sh and can.sh
# Root file systems of other releases than the lab's usual one, for test/e2e/days/images.test.ts alone. Where a mirror
# cannot give one, that test is skipped with the reason (can.sh), and all others run.

images_ready() { [ "$(lab_hindrance)" ] || [ -z "$(images_hindrance)" ]; }

images_make() {
  for suite in $lab_images; do
    as_root sh "$root/test/lab/rootfs.sh" "$suite" >/dev/null || say "  Tests on hosts of $suite will be skipped."
  done
}

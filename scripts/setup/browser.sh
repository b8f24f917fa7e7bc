# shellcheck shell=sh
# Chromium, in which `npm run test:long` looks at pictures: 300 MB that `npm test` does without.

browser_ready() { [ -z "$(browser_hindrance)" ]; }

browser_make() {
  has apt-get && can_root || { say "  $(browser_hindrance)" && return 1; }
  apt_install chromium
}

# shellcheck shell=sh
# Chromium, in which `npm run test:long` looks at pictures: 300 MB that `npm test` does without.

browser_ready() { [ -z "$(browser_hindrance)" ]; }

browser_make() {
  if has apt-get && can_root; then
    apt_install chromium
  else
    say "  $(browser_hindrance)"
    return 1
  fi
}

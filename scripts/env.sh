#!/bin/sh
# Prints what a Pulumi run needs in its environment, for eval: Node 22 and the Pulumi toolchain (dist/.bin links to
# what the machine itself lacks), no look-ups on the internet, and TypeScript run without a type check (preview 1.6 s
# instead of 3.3 s; the tests check the types).
#     eval "$(scripts/env.sh)"
set -eu
bin=$(cd "$(dirname "$0")/.." && pwd)/dist/.bin
case :$PATH: in
*":$bin:"*) ;;
*) printf "export PATH='%s':\"\$PATH\"\n" "$bin" ;;
esac
cat <<'END'
export PULUMI_SKIP_UPDATE_CHECK=true
export PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true
export PULUMI_NODEJS_TRANSPILE_ONLY=true
END

# shellcheck shell=sh disable=SC2154 # root, cache and making come from lib.sh
# An S3 server for the tests: the machine's own, else built from Go modules (scripts/toolchain/minio). Where it cannot be
# had, the tests that need it are skipped with the reason (can.sh); it is tried again in a day.

minio_dir=$cache/minio/$(hash_of "$root"/scripts/toolchain/minio/go.*)
no_minio=$cache/failed/${minio_dir##*/}-minio

minio_ready() {
  if own minio >/dev/null; then
    rm -f "$root/dist/.bin/minio"
  else
    { [ "$(readlink "$root/dist/.bin/minio")" = "$minio_dir/bin/minio" ] && cached "$minio_dir"; } || lately "$no_minio"
  fi
}

minio_make() {
  if ! cached "$minio_dir"; then
    has go || { say "  There is no Go to build MinIO with." && return 1; }
    make_cached "$minio_dir" minio_build || { note_failure "$no_minio" && return 1; }
  fi
  mkdir -p "$root/dist/.bin"
  ln -sf "$minio_dir/bin/minio" "$root/dist/.bin/minio"
}

minio_build() (
  say "  building MinIO from Go modules: about 2 minutes on 2 cores, once"
  mkdir "$making/bin" && cd "$root/scripts/toolchain/minio" || exit
  logged minio nice env CGO_ENABLED=0 GOWORK=off GOFLAGS=-mod=readonly go build -trimpath -ldflags "-s -w" \
    -o "$making/bin/" github.com/minio/minio
)

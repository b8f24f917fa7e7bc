# shellcheck shell=sh
# An S3 server for the tests. Where it cannot be had, those that need it are skipped with the reason (can.sh).

minio_ready() { go_command_ready minio minio; }

minio_make() { go_command_make minio minio github.com/minio/minio MinIO; }

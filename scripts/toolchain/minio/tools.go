//go:build tools

// An S3 server for the tests, pinned by the go.mod and go.sum beside this file; scripts/setup/minio.sh builds it.
package tools

import _ "github.com/minio/minio"

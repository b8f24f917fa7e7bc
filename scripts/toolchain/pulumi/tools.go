//go:build tools

// The Pulumi CLI, pinned by the go.mod and go.sum beside this file; scripts/toolchain.sh builds it.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"

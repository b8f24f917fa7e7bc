//go:build tools

// The language host for Python programs, pinned by the go.mod and go.sum beside this file; scripts/toolchain.sh builds it.
package tools

import _ "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"

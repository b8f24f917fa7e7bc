//go:build tools

// The language host for Node.js programs, pinned by the go.mod and go.sum beside this file; scripts/toolchain.sh builds it.
package tools

import _ "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"

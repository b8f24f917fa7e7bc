//go:build tools

// Pulumi's language host for YAML, pinned by the go.mod and go.sum beside this file; scripts/setup/yaml.sh builds it.
package tools

import _ "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"

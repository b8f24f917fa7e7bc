// The generators of SDKs that Pulumi's language hosts have, for a CLI without these hosts.
//
//	gen-sdk go|nodejs|python SCHEMA FOLDER
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	gogen "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	nodejsgen "github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	pythongen "github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

func main() {
	if err := generate(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func generate(language, path, folder string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var spec schema.PackageSpec
	if err := json.Unmarshal(text, &spec); err != nil {
		return err
	}
	pkg, faults, err := schema.BindSpec(spec, schema.NewNullLoader(), schema.ValidationOptions{})
	if err != nil {
		return err
	}
	for _, fault := range faults {
		fmt.Fprintln(os.Stderr, fault)
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d faults in %s", len(faults), path)
	}
	var files map[string][]byte
	switch language {
	case "go":
		files, err = gogen.GeneratePackage("overlay", pkg, nil)
	case "nodejs":
		files, err = nodejsgen.GeneratePackage("overlay", pkg, nil, nil, false, schema.NewCachedLoader(nil))
	case "python":
		files, err = pythongen.GeneratePackage("overlay", pkg, nil, schema.NewCachedLoader(nil))
	default:
		err = fmt.Errorf("no generator for %s", language)
	}
	if err != nil {
		return err
	}
	for name, content := range files {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

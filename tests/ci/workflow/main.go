// Command workflow checks workflows of GitHub Actions with actionlint, and prints one as JSON.
//
//	workflow check FILE...
//	workflow json FILE
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v4"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: workflow check FILE... | workflow json FILE")
		os.Exit(64)
	}
	if os.Args[1] == "check" {
		command := actionlint.Command{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
		// ShellCheck and Pyflakes are not on every machine; the scripts are run instead.
		arguments := []string{"actionlint", "-no-color", "-shellcheck=", "-pyflakes="}
		os.Exit(command.Main(append(arguments, os.Args[2:]...)))
	}
	if err := printed(os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func printed(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var document map[string]any
	if err := yaml.Unmarshal(text, &document); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(document)
}

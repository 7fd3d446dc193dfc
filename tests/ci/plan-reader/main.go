// Command plan-reader reads a plan as the tools do that were written for Terraform's: with HashiCorp's own types, strictly, and with a
// policy of Open Policy Agent. It prints what both of them found.
//
//	plan-reader < plan.json
package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/open-policy-agent/opa/v1/rego"
)

//go:embed policy.rego
var policy string

// Keys of our own, and two that Terraform writes and HashiCorp's types leave out.
var others = []string{"policies", "cost", "plan_digest", "applyable", "errored"}

type found struct {
	// One line a change: actions and address.
	Changes []string `json:"changes"`
	// One line a resource after the apply, of every module.
	Planned []string `json:"planned"`
	// One line a declaration: address and the references of its arguments.
	Declared []string `json:"declared"`
	Outputs  []string `json:"outputs"`
	// What the policy found.
	Violations any `json:"violations"`
}

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = report(text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func report(text []byte) error {
	plan, err := read(text)
	if err != nil {
		return err
	}
	var result found
	for _, change := range plan.ResourceChanges {
		actions := make([]string, len(change.Change.Actions))
		for index, action := range change.Change.Actions {
			actions[index] = string(action)
		}
		result.Changes = append(result.Changes, strings.Join(actions, ",")+" "+change.Address)
	}
	planned(plan.PlannedValues.RootModule, &result.Planned)
	declared("", plan.Config.RootModule, &result.Declared)
	for name := range plan.OutputChanges {
		result.Outputs = append(result.Outputs, name)
	}
	sort.Strings(result.Outputs)
	if result.Violations, err = violations(text); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// The plan in HashiCorp's types, which have to know every other key.
func read(text []byte) (*tfjson.Plan, error) {
	var plan tfjson.Plan
	if err := plan.UnmarshalJSON(text); err != nil {
		return nil, err
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(text, &keys); err != nil {
		return nil, err
	}
	for _, key := range others {
		delete(keys, key)
	}
	var changes []map[string]json.RawMessage
	if err := json.Unmarshal(keys["resource_changes"], &changes); err != nil {
		return nil, err
	}
	for _, change := range changes {
		delete(change, "source")
	}
	rest, err := json.Marshal(changes)
	if err != nil {
		return nil, err
	}
	keys["resource_changes"] = rest
	rest, err = json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	// A type of its own has no UnmarshalJSON, which would accept keys that nobody knows.
	type strict tfjson.Plan
	decoder := json.NewDecoder(bytes.NewReader(rest))
	decoder.DisallowUnknownFields()
	return &plan, decoder.Decode(new(strict))
}

func planned(module *tfjson.StateModule, lines *[]string) {
	if module == nil {
		return
	}
	for _, resource := range module.Resources {
		*lines = append(*lines, resource.Address)
	}
	for _, child := range module.ChildModules {
		planned(child, lines)
	}
}

func declared(prefix string, module *tfjson.ConfigModule, lines *[]string) {
	if module == nil {
		return
	}
	for _, resource := range module.Resources {
		var references []string
		for _, expression := range resource.Expressions {
			references = append(references, referenced(expression)...)
		}
		sort.Strings(references)
		*lines = append(*lines, prefix+resource.Address+" <- "+strings.Join(references, " "))
	}
	for _, name := range sorted(module.ModuleCalls) {
		declared(prefix+"module."+name+".", module.ModuleCalls[name].Module, lines)
	}
}

func referenced(expression *tfjson.Expression) []string {
	if expression == nil || expression.ExpressionData == nil {
		return nil
	}
	all := append([]string{}, expression.References...)
	for _, block := range expression.NestedBlocks {
		for _, inside := range block {
			all = append(all, referenced(inside)...)
		}
	}
	return all
}

func sorted[V any](all map[string]V) []string {
	var names []string
	for name := range all {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func violations(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var input any
	if err := decoder.Decode(&input); err != nil {
		return nil, err
	}
	query := rego.New(
		rego.Query("data.terraform.deny"),
		rego.Module("policy.rego", policy),
		rego.Input(input),
	)
	results, err := query.Eval(context.Background())
	if err != nil {
		return nil, err
	}
	if len(results) == 0 || len(results[0].Expressions) == 0 {
		return nil, fmt.Errorf("the policy has no result")
	}
	return results[0].Expressions[0].Value, nil
}

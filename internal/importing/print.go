/*
Copyright 2026 The app-operator authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

package importing

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Write writes the Application as YAML, with what is set in the API's order, and after it, as comments, why it would be refused, and what
// it does not say.
func (r *Result) Write(to io.Writer) error {
	text, err := r.yaml()
	if err != nil {
		return err
	}
	if len(r.Refused) > 0 {
		text += "\n# The API server would refuse this Application. Correct this before you apply it:\n"
	}
	for _, refusal := range r.Refused {
		for _, line := range wrapped(refusal, 118) {
			text += "#" + line + "\n"
		}
	}
	if len(r.Remarks) > 0 {
		text += "\n# What this Application does not say, or says otherwise:\n"
	}
	for _, remark := range r.Remarks {
		text += "#\n"
		what := remark.Source
		if remark.Field != "" {
			what += ", " + remark.Field
		}
		if remark.Value != "" {
			what += ": " + remark.Value
		}
		for _, line := range append([]string{what}, wrapped(remark.Instead, 118)...) {
			text += strings.TrimRight("# "+lineEnds.ReplaceAllString(line, " "), " ") + "\n"
		}
	}
	_, err = io.WriteString(to, text)
	return err
}

// lineEnds are what ends a comment.
var lineEnds = regexp.MustCompile(`[\r\n\x{85}\x{2028}\x{2029}]`)

// wrapped returns the words as indented lines.
func wrapped(words string, width int) []string {
	var lines []string
	line := " "
	for word := range strings.FieldsSeq(words) {
		if len(line)+1+len(word) > width && line != " " {
			lines = append(lines, line)
			line = " "
		}
		line += " " + word
	}
	return append(lines, line)
}

// yaml returns the Application as YAML. JSON is YAML, where nothing in it ends a line, and its fields are in the order of the types.
func (r *Result) yaml() (string, error) {
	data, err := json.Marshal(r.Application)
	if err != nil {
		return "", fmt.Errorf("encode the Application: %w", err)
	}
	data = bytes.ReplaceAll(data, []byte("\u0085"), []byte(`\u0085`))
	root := &yaml.Node{}
	if err := yaml.Unmarshal(data, root); err != nil {
		return "", fmt.Errorf("read the Application as YAML: %w", err)
	}
	fields := root.Content[0]
	prune(fields, "")
	swapped := slices.Concat(fields.Content[2:4], fields.Content[:2]) // apiVersion comes first
	copy(fields.Content, swapped)
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return "", fmt.Errorf("write the Application as YAML: %w", err)
	}
	return text.String(), encoder.Close()
}

// olderBool is what is a text in YAML 1.2 and was not in YAML 1.1, which Kubernetes reads.
var olderBool = regexp.MustCompile(`^(?i:y|n|yes|no|on|off)$|^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+([.][0-9_]*)?$`)

// noLiteral is what is another text in lines of its own: a tab where the indentation is expected, empty lines at the end, which go on
// with those that follow, and what only YAML 1.1 takes for the end of a line.
var noLiteral = regexp.MustCompile(`^[ \n]*\t|^\n$|\n\n$|[\x{85}\x{2028}\x{2029}]`)

// saysNothing reports whether a type writes a field although it is not set.
func saysNothing(path, name string, value *yaml.Node) bool {
	empty := value.Kind == yaml.MappingNode && len(value.Content) == 0
	inContainer := strings.HasPrefix(path, ".spec.sidecars.") || strings.HasPrefix(path, ".spec.initContainers.")
	return name == "divisor" && value.Value == "0" || path == ".status" || value.Tag == "!!null" ||
		empty && (name == "metadata" || name == "resources" && inContainer)
}

// prune has a node written as a block, without what types write although it is not set.
func prune(node *yaml.Node, path string) {
	node.Style &^= yaml.FlowStyle
	if node.Kind == yaml.ScalarNode {
		node.Style = 0
		if node.Tag == "!!str" && olderBool.MatchString(node.Value) {
			node.Style = yaml.DoubleQuotedStyle
		}
		if strings.Contains(node.Value, "\n") {
			node.Style = yaml.LiteralStyle
		}
		if noLiteral.MatchString(node.Value) {
			node.Style = yaml.DoubleQuotedStyle
		}
		return
	}
	kept := node.Content[:0]
	for i := 0; i < len(node.Content); i++ {
		if node.Kind != yaml.MappingNode {
			prune(node.Content[i], path)
			kept = append(kept, node.Content[i])
			continue
		}
		key, value := node.Content[i], node.Content[i+1]
		i++
		at := path + "." + key.Value
		if saysNothing(at, key.Value, value) {
			continue
		}
		prune(key, "")
		prune(value, at)
		kept = append(kept, key, value)
	}
	node.Content = kept
}

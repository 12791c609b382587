// Reads a file of rules, or expressions that are given as a list in JSON, as Prometheus does, and prints each expression with
// the metrics and labels that it names: prometheus rules FILE, prometheus expressions LIST
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

type named struct {
	Expr    string   `json:"expr"`
	Metrics []string `json:"metrics"`
	Labels  []string `json:"labels"`
}

func main() {
	if err := read(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(kind, given string) error {
	expressions, err := expressionsOf(kind, given)
	if err != nil {
		return err
	}
	found := []named{}
	for _, text := range expressions {
		each, err := namesOf(text)
		if err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		found = append(found, each)
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

func expressionsOf(kind, given string) ([]string, error) {
	expressions := []string{}
	if kind == "expressions" {
		return expressions, json.Unmarshal([]byte(given), &expressions)
	}
	groups, failures := rulefmt.ParseFile(given, false)
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			expressions = append(expressions, rule.Expr)
		}
	}
	return expressions, errors.Join(failures...)
}

func namesOf(text string) (named, error) {
	found := named{Expr: text, Metrics: []string{}, Labels: []string{}}
	expr, err := parser.ParseExpr(text)
	if err != nil {
		return found, err
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch each := node.(type) {
		case *parser.VectorSelector:
			for _, matcher := range each.LabelMatchers {
				if matcher.Name == labels.MetricName {
					found.Metrics = append(found.Metrics, matcher.Value)
				} else {
					found.Labels = append(found.Labels, matcher.Name)
				}
			}
		case *parser.AggregateExpr:
			found.Labels = append(found.Labels, each.Grouping...)
		}
		return nil
	})
	return found, nil
}

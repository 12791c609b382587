// Reads a file of rules, or expressions that are given as a list in JSON, as Prometheus does, and prints each expression with
// the metrics and labels that it names: prometheus rules FILE, prometheus expressions LIST
// Or takes series, of which each has one value a minute, and prints the labels of the alerts that fire at their end:
// prometheus alerts FILE {"NAME{LABEL=\"…\"}": [VALUE, …]}
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/annotations"
)

const step = time.Minute

type named struct {
	Expr    string   `json:"expr"`
	Metrics []string `json:"metrics"`
	Labels  []string `json:"labels"`
}

func main() {
	var err error
	if os.Args[1] == "alerts" {
		err = fire(os.Args[2], os.Args[3])
	} else {
		err = read(os.Args[1], os.Args[2])
	}
	if err != nil {
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

func fire(file, given string) error {
	groups, failures := rulefmt.ParseFile(file, false)
	if err := errors.Join(failures...); err != nil {
		return err
	}
	known, end, err := seriesOf(given)
	if err != nil {
		return err
	}
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1_000_000, Timeout: time.Minute})
	found := []map[string]string{}
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			since := end.Add(-time.Duration(rule.For))
			query, err := engine.NewRangeQuery(context.Background(), known, nil, rule.Expr, since, end, step)
			if err != nil {
				return err
			}
			all, err := query.Exec(context.Background()).Matrix()
			if err != nil {
				return err
			}
			for _, each := range all {
				if len(each.Floats) == int(end.Sub(since)/step)+1 {
					said := each.Metric.Map()
					said["alertname"] = rule.Alert
					found = append(found, said)
				}
			}
		}
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

func seriesOf(given string) (storage.Queryable, time.Time, error) {
	values := map[string][]float64{}
	if err := json.Unmarshal([]byte(given), &values); err != nil {
		return nil, time.Time{}, err
	}
	known, end := []storage.Series{}, time.Time{}
	for text, each := range values {
		metric, err := parser.ParseMetric(text)
		if err != nil {
			return nil, end, err
		}
		chunk := chunkenc.NewXORChunk()
		appender, err := chunk.Appender()
		if err != nil {
			return nil, end, err
		}
		for i, value := range each {
			end = time.Unix(0, 0).Add(time.Duration(i) * step)
			appender.Append(end.UnixMilli(), value)
		}
		known = append(known, &storage.SeriesEntry{Lset: metric, SampleIteratorFn: chunk.Iterator})
	}
	chosen := func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
		taken := &series{}
		for _, each := range known {
			if takes(matchers, each.Labels()) {
				taken.rest = append(taken.rest, each)
			}
		}
		return taken
	}
	return &storage.MockQueryable{MockQuerier: &storage.MockQuerier{SelectMockFunction: chosen}}, end, nil
}

func takes(matchers []*labels.Matcher, of labels.Labels) bool {
	for _, each := range matchers {
		if !each.Matches(of.Get(each.Name)) {
			return false
		}
	}
	return true
}

type series struct {
	at   storage.Series
	rest []storage.Series
}

func (s *series) Next() bool {
	if len(s.rest) == 0 {
		return false
	}
	s.at, s.rest = s.rest[0], s.rest[1:]
	return true
}

func (s *series) At() storage.Series                { return s.at }
func (s *series) Err() error                        { return nil }
func (s *series) Warnings() annotations.Annotations { return nil }

// Prints as JSON the tables of the tests of Istio's analyzers (the first argument is their folder): which messages they
// expect on which objects of which files; and the names of annotations and labels of Istio's API (the folder of its module).
// A table that is written otherwise than it was ends the program: nothing is left out.
package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
)

// Message of an analyzer: the name of its type in Istio's package msg, and the object as "Kind [namespace/]name".
type message struct {
	Type   string `json:"type"`
	Object string `json:"object"`
}

// Case of a table: the files of each cluster, below the folder, and what is expected.
type testCase struct {
	Name     string     `json:"name"`
	Analyzer string     `json:"analyzer"`
	Clusters [][]string `json:"clusters"`
	Expected []message  `json:"expected"`
}

func main() {
	cases := []testCase{}
	for _, one := range []struct{ file, variable string }{
		{"analyzers_test.go", "testGrid"},
		{"multicluster_analyzers_test.go", "mcTestGrid"},
	} {
		files := token.NewFileSet()
		parsed, err := parser.ParseFile(files, filepath.Join(os.Args[1], one.file), nil, 0)
		if err != nil {
			fail("%v", err)
		}
		for _, element := range table(parsed, one.variable).Elts {
			cases = append(cases, readCase(files, element))
		}
	}
	printed := struct {
		Cases       []testCase `json:"cases"`
		Annotations []string   `json:"annotations"`
		Labels      []string   `json:"labels"`
	}{cases, names(os.Args[2], "annotation/annotations.gen.go"), names(os.Args[2], "label/labels.gen.go")}
	if err := json.NewEncoder(os.Stdout).Encode(printed); err != nil {
		fail("%v", err)
	}
}

// The names of all variables of a generated file that are instances of an annotation or label.
func names(folder, file string) []string {
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, filepath.Join(folder, file), nil, 0)
	if err != nil {
		fail("%v", err)
	}
	found := []string{}
	ast.Inspect(parsed, func(node ast.Node) bool {
		pair, ok := node.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		key, ok := pair.Key.(*ast.Ident)
		if ok && key.Name == "Name" {
			found = append(found, text(pair.Value))
		}
		return true
	})
	return found
}

// The value of a variable of the file.
func table(file *ast.File, name string) *ast.CompositeLit {
	for _, declaration := range file.Decls {
		general, ok := declaration.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range general.Specs {
			value, ok := spec.(*ast.ValueSpec)
			if ok && value.Names[0].Name == name {
				return value.Values[0].(*ast.CompositeLit)
			}
		}
	}
	fail("there is no variable %s", name)
	return nil
}

func readCase(files *token.FileSet, element ast.Expr) testCase {
	found := testCase{Expected: []message{}}
	for _, part := range element.(*ast.CompositeLit).Elts {
		pair := part.(*ast.KeyValueExpr)
		switch key := pair.Key.(*ast.Ident).Name; key {
		case "name":
			found.Name = text(pair.Value)
		case "inputFiles", "cluster1InputFiles", "cluster2InputFiles":
			found.Clusters = append(found.Clusters, texts(pair.Value))
		case "expected":
			for _, entry := range pair.Value.(*ast.CompositeLit).Elts {
				fields := entry.(*ast.CompositeLit).Elts
				found.Expected = append(found.Expected, message{fields[0].(*ast.SelectorExpr).Sel.Name, text(fields[1])})
			}
		case "analyzer":
			found.Analyzer = analyzer(files, pair.Value)
		case "meshConfigFile", "meshNetworksFile", "skipAll":
			// What surrounds the objects, and how Istio's own test goes on.
		default:
			fail("%s: an unknown key %s", files.Position(pair.Pos()), key)
		}
	}
	return found
}

// Name of an analyzer, as "gateway.SecretAnalyzer".
func analyzer(files *token.FileSet, value ast.Expr) string {
	if call, ok := value.(*ast.CallExpr); ok {
		return selector(files, call.Fun)
	}
	return selector(files, value.(*ast.UnaryExpr).X.(*ast.CompositeLit).Type)
}

func selector(files *token.FileSet, value ast.Expr) string {
	found, ok := value.(*ast.SelectorExpr)
	if !ok {
		fail("%s: no name of a package's", files.Position(value.Pos()))
	}
	return fmt.Sprintf("%s.%s", found.X.(*ast.Ident).Name, found.Sel.Name)
}

func texts(value ast.Expr) []string {
	found := []string{}
	for _, element := range value.(*ast.CompositeLit).Elts {
		found = append(found, text(element))
	}
	return found
}

func text(value ast.Expr) string {
	found, err := strconv.Unquote(value.(*ast.BasicLit).Value)
	if err != nil {
		fail("%v", err)
	}
	return found
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}

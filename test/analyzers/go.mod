module meshwright.dev/test/analyzers

go 1.26.3
